"""TEE-Rex's paths, for its clients as they are."""
