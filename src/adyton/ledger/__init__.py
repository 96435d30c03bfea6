"""The ledger: proofs in a chain, the log beside it, checkpoints, and what binds them together."""
