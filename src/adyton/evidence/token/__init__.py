"""Tokens of attestation services: Intel Trust Authority, Azure, Google Confidential Space, NRAS."""
