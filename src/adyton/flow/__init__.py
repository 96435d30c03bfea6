"""The request path: open, fetch, extract, evaluate, prove, attest, respond."""
