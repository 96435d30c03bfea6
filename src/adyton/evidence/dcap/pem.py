"""Certificate chains in PEM, as ``codec`` reads them."""

from adyton.codec.pem import MAX_CERTIFICATE_BYTES, read_chain

__all__ = ["MAX_CERTIFICATE_BYTES", "read_chain"]
