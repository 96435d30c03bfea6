"""Providers: their definitions, request templates and extraction rules."""
