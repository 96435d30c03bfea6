"""The process on the host: HTTP, callers, limits, store, and the egress relay."""
