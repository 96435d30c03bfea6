"""Delegated proofs: what a worker does with a sealed proving request, as far as it is pure."""
