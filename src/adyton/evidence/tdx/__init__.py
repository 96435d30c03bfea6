"""Quotes of Intel TDX trust domains."""
