"""Measurements, as ratios within one run: these say how we compare, not how fast a machine is."""
