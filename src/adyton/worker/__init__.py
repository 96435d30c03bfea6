"""The process inside the TEE: it alone holds keys and sees plaintext."""
