"""Attestation documents of AWS Nitro Enclaves and of NitroTPM."""
