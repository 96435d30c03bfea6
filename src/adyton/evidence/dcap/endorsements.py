"""Collateral to endorsements: proves that Intel signed it, and nothing about when it may be used.

Time is left to ``tcb``, which checks it at every use: what was verified once can be kept, and says
the same tomorrow, until it expires.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from threading import Lock
from typing import Final

from adyton.crypto.crl import Crl, verify_crl
from adyton.crypto.hashing import prefixed, sha256
from adyton.crypto.path import Certificate, CertificateRejectedError, Path, PathCache, verify_path
from adyton.crypto.suites import ES256
from adyton.errors import MalformedError, RejectedError
from adyton.evidence.dcap.collateral import IntelCollateral
from adyton.evidence.dcap.qe_identity import QeIdentity
from adyton.evidence.dcap.tcb_info import TcbInfo
from adyton.model.window import Window

__all__ = [
    "PCK_AUTHORITIES",
    "CollateralRejectedError",
    "DcapCache",
    "Endorsements",
    "authenticate_collateral",
]

PCK_AUTHORITIES: Final = frozenset({"Intel SGX PCK Platform CA", "Intel SGX PCK Processor CA"})
_TCB_SIGNER: Final = "Intel SGX TCB Signing"
_CACHED: Final = 64


class CollateralRejectedError(RejectedError):
    """The collateral is signed, and is not about this platform, or does not belong together."""

    code = "collateral-rejected"

    def __init__(self, *, reason: str) -> None:
        super().__init__(f"the collateral {reason}")
        self.reason = reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Endorsements:
    """What Intel says about platforms of one family, whatever the time.

    ``windows`` has every piece that expires, certificates included.
    """

    root: Certificate
    pck_authority: Certificate
    root_ca_crl: Crl
    pck_crl: Crl
    tcb_info: TcbInfo
    qe_identity: QeIdentity
    windows: tuple[Window, ...]


class DcapCache:
    """What was verified before: certificates by their paths, and collateral by its digest.

    Of collateral, the roots under which it was verified are part of the digest. Time is no part of
    what is remembered. With this cache and without it, the answer is the same.
    """

    def __init__(self, *, limit: int = _CACHED) -> None:
        self.paths = PathCache()
        self._limit = limit
        self._found: dict[bytes, Endorsements] = {}
        self._lock = Lock()

    def find(self, digest: bytes) -> Endorsements | None:
        """Return what the collateral with this digest says, if it is remembered."""
        with self._lock:
            return self._found.get(digest)

    def keep(self, digest: bytes, endorsements: Endorsements) -> None:
        """Remember ``endorsements``; those that have been here longest give way."""
        with self._lock:
            if len(self._found) >= self._limit:
                del self._found[next(iter(self._found))]
            self._found[digest] = endorsements


def authenticate_collateral(
    collateral: IntelCollateral, *, roots: Mapping[str, bytes], cache: DcapCache | None = None
) -> Endorsements:
    """Return what ``collateral`` says, once it is shown to come from under one of ``roots``.

    1. Each of its three chains has two certificates and leads from a root in ``roots`` (a name to
       SHA-256 of its DER) to the one that signed: the steps of ``verify_path``. All have one root.
    2. The chains' ends are what they should be by their names: an authority of PCK certificates,
       and Intel's TCB signer.
    3. The list of revoked authorities and signers is by the root, and has none of the chains' ends.
    4. The list of revoked platforms is by the authority of PCK certificates.
    5. TCB information and the quoting enclave's identity are signed by their signers.
    6. Both are well formed, as ``from_bytes`` of each has it, and about the same technology.

    Not established: that it is valid at any time, or about the platform in question; that it is the
    newest. Raises ``MalformedError`` or a ``RejectedError``.
    """
    digest = b""
    if cache is not None:
        trusted = sorted(name.encode() + b"\0" + root for name, root in roots.items())
        digest = sha256(collateral.sha256 + prefixed(*trusted))
        if (found := cache.find(digest)) is not None:
            return found
    paths = cache.paths if cache is not None else None
    # Steps 1 and 2
    authority, tcb_signer, qe_signer = (
        _path(collateral.pck_crl_issuer_chain, roots, PCK_AUTHORITIES, paths, to_authority=True),
        _path(collateral.tcb_info_issuer_chain, roots, {_TCB_SIGNER}, paths),
        _path(collateral.qe_identity_issuer_chain, roots, {_TCB_SIGNER}, paths),
    )
    root = authority.certificates[0]
    if any(path.root_sha256 != authority.root_sha256 for path in (tcb_signer, qe_signer)):
        raise CollateralRejectedError(reason="has chains from different roots")
    # Step 3
    where = "the revocation list of the root"
    root_ca_crl = verify_crl(collateral.root_ca_crl, issuer=root, suite=ES256, where=where)
    for path in (authority, tcb_signer, qe_signer):
        root_ca_crl.check_not_revoked(path.leaf, where=f"{path.leaf.common_name!r}")
    # Step 4
    where = "the revocation list of pck certificates"
    pck_crl = verify_crl(collateral.pck_crl, issuer=authority.leaf, suite=ES256, where=where)
    # Step 5: on the text, before anything in it is read.
    tcb_signer.leaf.key.check(collateral.tcb_info, collateral.tcb_info_signature, domain="tcb info")
    qe_signer.leaf.key.check(
        collateral.qe_identity, collateral.qe_identity_signature, domain="the qe identity"
    )
    # Step 6
    tcb_info = TcbInfo.from_bytes(collateral.tcb_info)
    qe_identity = QeIdentity.from_bytes(collateral.qe_identity)
    if tcb_info.tee_type is not qe_identity.tee_type:
        raise CollateralRejectedError(reason="mixes what is about sgx with what is about tdx")
    endorsements = Endorsements(
        root=root,
        pck_authority=authority.leaf,
        root_ca_crl=root_ca_crl,
        pck_crl=pck_crl,
        tcb_info=tcb_info,
        qe_identity=qe_identity,
        windows=(
            Window(name="the authority's chain", first=authority.first, last=authority.last),
            Window(name="the tcb signer's chain", first=tcb_signer.first, last=tcb_signer.last),
            Window(name="the qe identity's chain", first=qe_signer.first, last=qe_signer.last),
            Window(name="the root's crl", first=root_ca_crl.first, last=root_ca_crl.last),
            Window(name="the pck crl", first=pck_crl.first, last=pck_crl.last),
            Window(name="tcb info", first=tcb_info.issued, last=tcb_info.next_update),
            Window(name="the qe identity", first=qe_identity.issued, last=qe_identity.next_update),
        ),
    )
    if cache is not None:
        cache.keep(digest, endorsements)
    return endorsements


def _path(
    chain: tuple[bytes, ...],
    roots: Mapping[str, bytes],
    names: frozenset[str] | set[str],
    cache: PathCache | None,
    *,
    to_authority: bool = False,
) -> Path:
    # Step 1. Two certificates: what a platform's own key signs, three deep, is never collateral.
    if len(chain) != 2:  # noqa: PLR2004
        raise MalformedError(f"a chain of collateral has {len(chain)} certificates, not 2")
    path = verify_path(
        chain[::-1], roots=roots, suite=ES256, to_authority=to_authority, cache=cache
    )
    # Step 2
    if path.leaf.common_name not in names:
        raise CertificateRejectedError(
            position=1, reason=f"is {path.leaf.common_name!r}, not {' or '.join(sorted(names))}"
        )
    return path
