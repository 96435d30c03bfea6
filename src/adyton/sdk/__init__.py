"""The client library: checks evidence, seals credentials, checks receipts."""
