"""Attestation reports of AMD SEV-SNP."""
