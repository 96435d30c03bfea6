"""The notary's HTTP: digests in, proofs out, and the log that has them."""
