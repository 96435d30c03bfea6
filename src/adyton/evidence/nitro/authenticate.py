"""Nitro evidence to claims: proves where a document comes from, and nothing about what it says.

Follows AWS's "Nitro Enclaves Attestation Process", section 3. A pure function of the document, the
trusted roots and the instant; a cache changes how long it takes, and nothing else.
"""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Final

from adyton.crypto.hashing import sha256
from adyton.crypto.path import PathCache, verify_path
from adyton.crypto.suites import ES384
from adyton.evidence.nitro.layout import Document
from adyton.evidence.nitro.roots import NITRO_ROOTS
from adyton.model.claims import DEBUG_MODE, Claims, Platform, Technology
from adyton.model.verdict import Finding, finding

__all__ = ["authenticate"]

# PCR0 is the image, PCR1 kernel and boot, PCR2 the application: AWS zeroes them all where an
# enclave was started with --debug-mode ("Verifying the root of trust", Nitro Enclaves user guide).
_IMAGE_REGISTERS: Final = (0, 1, 2)
_DEBUG: Final = finding(
    DEBUG_MODE, "whoever runs this enclave can look inside: its image's registers are zero"
)


def authenticate(
    document: bytes,
    *,
    roots: Mapping[str, bytes],
    at: datetime,
    cache: PathCache | None = None,
) -> Claims:
    """Return what ``document`` says, once it is shown to come from under one of ``roots``.

    1. The document is well formed, as ``Document.from_bytes`` has it.
    2. Its certificates lead from a root in ``roots`` (a name to SHA-256 of its DER) to the one that
       signed, and all are valid at ``at``: the steps of ``verify_path``.
    3. The signature over header and payload is by the last certificate's key.
    4. Where the root is not one that a vendor vouches for, the platform is ``insecure``.
    5. An enclave is in debug mode unless all of its registers 0, 1 and 2 are there and not zero.

    Not established: that the code in the measurements is good, that the document is recent, or that
    it was made for whoever presents it. Raises ``MalformedError`` or a ``RejectedError``.
    """
    # Step 1
    parsed = Document.from_bytes(document)
    # Step 2
    path = verify_path(
        (*parsed.cabundle, parsed.certificate), roots=roots, suite=ES384, cache=cache
    )
    path.check_valid(at)
    # Step 3
    path.leaf.key.check(parsed.signed_bytes, parsed.signature, domain="the attestation document")
    # Step 4: by digest. A policy may call its own root whatever it likes.
    is_genuine = path.root_sha256 in NITRO_ROOTS.values()
    return Claims(
        technology=parsed.technology,
        platform=Platform.of(parsed.technology, is_genuine=is_genuine),
        root=path.root,
        root_sha256=path.root_sha256,
        instance=parsed.module_id,
        measurements=MappingProxyType({f"pcr{i}": value for i, value in parsed.pcrs.items()}),
        # Step 5
        configuration=_configuration(parsed),
        report_data=parsed.user_data,
        nonce=parsed.nonce,
        public_key=parsed.public_key,
        issued=parsed.timestamp,
        first=path.first,
        last=path.last,
        windows=path.windows,
        signed_sha256=sha256(parsed.signed_bytes),
    )


def _configuration(document: Document) -> tuple[Finding, ...]:
    # A register that is not there is not a register that is not zero.
    is_measured = all(any(document.pcrs.get(index, b"")) for index in _IMAGE_REGISTERS)
    return () if document.technology is Technology.NITRO_TPM or is_measured else (_DEBUG,)
