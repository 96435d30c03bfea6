"""Bytes to plain values and back: strict, total, and without a clock, a socket or a file."""
