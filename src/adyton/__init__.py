"""Answers about private data, from inside a trusted execution environment, that anyone can check."""
