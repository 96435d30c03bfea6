"""Quotes of Intel SGX enclaves."""
