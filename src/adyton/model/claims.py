"""Claims: what authentic evidence says, in one form for every technology.

Who made them settled that they are authentic: signed under a root that the verifier trusts. Whether
they are acceptable is for a policy to decide, and nothing here decides it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

__all__ = ["Claims", "Platform", "Technology", "VendorRoot"]


class VendorRoot(StrEnum):
    """The anchors that are built in, by the names that a policy calls them.

    Each technology pins the digests of its own. No other root may go by one of these names.
    """

    AWS_NITRO = "aws-nitro"


class Technology(StrEnum):
    """The format of the evidence, which says how it was read and verified."""

    NITRO = "nitro"
    NITRO_TPM = "nitro-tpm"


class Platform(StrEnum):
    """Who vouches for what the evidence says.

    ``INSECURE`` is nobody: the format is a vendor's, and the root is not, whatever it is called.
    """

    NITRO = "nitro"
    NITRO_TPM = "nitro-tpm"
    INSECURE = "insecure"


@dataclass(frozen=True, slots=True, kw_only=True)
class Claims:
    """What one piece of authentic evidence says.

    ``root`` is the name of the anchor, and ``root_sha256`` its digest. ``instance`` is the vendor's
    name for the machine. ``measurements`` go by the vendor's names in lower case (``pcr0``).
    ``debug`` is true unless the evidence shows that nobody can look inside. ``report_data``,
    ``nonce`` and ``public_key`` are what the code inside asked to have signed; ``None`` is absent.

    ``issued`` is the platform's own time for the evidence. ``first`` and ``last`` bound the time in
    which its certificates are valid. ``signed_sha256`` is over the signed body: two pieces of
    evidence are the same where this is, whatever else differs between their files.
    """

    technology: Technology
    platform: Platform
    root: str
    root_sha256: bytes
    instance: str
    measurements: Mapping[str, bytes]
    debug: bool
    report_data: bytes | None
    nonce: bytes | None
    public_key: bytes | None
    issued: datetime
    first: datetime
    last: datetime
    signed_sha256: bytes
