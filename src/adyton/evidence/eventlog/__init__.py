"""Event logs: what a platform measured, entry by entry, into the registers of its evidence."""
