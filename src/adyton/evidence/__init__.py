"""Evidence of each technology: bytes to a frozen value, and that value to authentic claims."""
