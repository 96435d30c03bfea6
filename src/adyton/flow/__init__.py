"""The request path: open, foresee, fetch, extract, evaluate, prove, attest, respond."""
