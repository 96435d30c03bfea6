"""Whole fake vendors and devices: they mint what is right, or wrong in exactly one way."""
