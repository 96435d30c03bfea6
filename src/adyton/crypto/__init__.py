"""Cryptography: the only package that imports the library for it."""
