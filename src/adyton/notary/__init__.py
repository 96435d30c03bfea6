"""The notary: the process that holds the ledger's key, and serves its gateway over the link."""
