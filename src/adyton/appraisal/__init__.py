"""Authentic claims held against a policy."""
