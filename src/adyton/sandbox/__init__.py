"""An HTTPS server that plays every built-in provider, for development and tests."""
