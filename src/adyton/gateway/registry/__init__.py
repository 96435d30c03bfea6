"""The registry of attested workers: who is there, what vouches for it, and who is drawn."""
