"""Delegated proofs over HTTP: in turn, as answers or as jobs, and what is kept of them."""
