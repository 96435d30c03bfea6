"""Frozen values that the request path and the verification path share."""
