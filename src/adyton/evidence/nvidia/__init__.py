"""Attestation reports of NVIDIA's GPUs and switches, and the golden values for them."""
