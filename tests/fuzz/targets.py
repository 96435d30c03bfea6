"""Everything that reads bytes from outside, each as one function of bytes.

A target returns a digest of what is authentic about its input, ``None`` where nothing can be, or
raises ``MalformedError`` or a ``RejectedError``; anything else is a fault. What it starts from is
in ``corpus``, a folder for each target, minted by the fakes (see ``mint``).
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cache, cached_property, partial
from json import dumps as codec_text
from pathlib import Path
from typing import Final

from tests.fakes.amd import NOW, FakeAmd
from tests.fakes.intel import FakeIntel
from tests.fakes.nitro import FakeNitro
from tests.fakes.nvidia import FakeNvidia
from tests.fakes.tokens import SERVICES, part, text

from adyton.appraisal.ear import verify_ear
from adyton.appraisal.expression import Expression
from adyton.appraisal.policy import Policy
from adyton.codec import cbor, javascript, json, yaml
from adyton.codec.cose import Sign1
from adyton.codec.der import DerReader, Tag
from adyton.crypto.crl import verify_crl
from adyton.crypto.hashing import sha256
from adyton.crypto.jwk import Algorithm, JwkSet
from adyton.crypto.ocsp import verify_ocsp
from adyton.crypto.path import Certificate, PathCache, verify_path
from adyton.crypto.suites import ES256, ES384, PS384_AMD, Suite
from adyton.crypto.timestamp import read_timestamp
from adyton.errors import MalformedError, RejectedError
from adyton.evidence.azure.snp import authenticate as authenticate_azure_snp
from adyton.evidence.azure.tdx import authenticate as authenticate_azure_tdx
from adyton.evidence.dcap.collateral import IntelCollateral
from adyton.evidence.dcap.endorsements import DcapCache, authenticate_collateral
from adyton.evidence.dcap.pck import SgxExtension
from adyton.evidence.dcap.qe_identity import QeIdentity
from adyton.evidence.dcap.tcb_info import TcbInfo
from adyton.evidence.nitro.authenticate import authenticate as authenticate_nitro
from adyton.evidence.nitro.layout import Document
from adyton.evidence.nvidia.authenticate import authenticate as authenticate_nvidia
from adyton.evidence.nvidia.collateral import NvidiaCollateral
from adyton.evidence.nvidia.rim import authenticate_rim
from adyton.evidence.nvidia.serialized import one_device
from adyton.evidence.sev_snp.authenticate import authenticate as authenticate_snp
from adyton.evidence.sev_snp.collateral import AmdCollateral
from adyton.evidence.sev_snp.table import ExtendedReport
from adyton.evidence.sgx.authenticate import authenticate as authenticate_sgx
from adyton.evidence.tdx.authenticate import authenticate as authenticate_tdx
from adyton.evidence.token.authenticate import authenticate as authenticate_token
from adyton.evidence.token.authenticate import unverified_report
from adyton.evidence.token.collateral import TokenCollateral
from adyton.evidence.token.services import Service
from adyton.ledger.checkpoint import NoteKey, open_checkpoint
from adyton.ledger.log_proof import LogProof, check_included
from adyton.ledger.proof import Proof
from adyton.verification.notary import verify_commit
from adyton.verification.notary_policy import NotaryPolicy

__all__ = ["CORPUS", "TARGETS", "ForgedError", "Target"]

CORPUS: Final = Path(__file__).parent / "corpus"
BESIDE: Final = CORPUS / "beside"
LIMIT: Final = 1 << 20

Read = Callable[[bytes], bytes | None]


class ForgedError(Exception):
    """Something was accepted that nobody signed: a fault, and the worst one."""


@dataclass(frozen=True)
class Target:
    """What reads bytes. ``is_evidence`` says that whatever is accepted was signed by somebody."""

    name: str
    read: Read
    is_evidence: bool = False

    @cached_property
    def seeds(self) -> tuple[bytes, ...]:
        """What the fakes minted for this target."""
        return tuple(path.read_bytes() for path in sorted((CORPUS / self.name).iterdir()))

    @cached_property
    def authentic(self) -> frozenset[bytes]:
        """What is authentic about the seeds."""
        found = (self.read(seed) for seed in self.seeds)
        return frozenset(digest for digest in found if digest is not None)

    def check(self, data: bytes) -> bool:
        """Return whether ``data`` is accepted; raise where it is neither that nor refused."""
        try:
            found = self.read(data)
        except (MalformedError, RejectedError):
            return False
        if self.is_evidence and found not in self.authentic:
            raise ForgedError(self.name)
        return True


@cache
def _beside(name: str) -> bytes:
    return (BESIDE / name).read_bytes()


@cache
def _root(name: str) -> Mapping[str, bytes]:
    return {"fake": sha256(_beside(name))}


# Evidence

_PATHS: Final = PathCache()
_DCAP: Final = DcapCache()


def _nitro(data: bytes) -> bytes:
    roots = _root("nitro-root.der")
    return authenticate_nitro(data, roots=roots, at=NOW, cache=_PATHS).signed_sha256


@cache
def _collateral(tee: str) -> IntelCollateral:
    return IntelCollateral.from_bytes(_beside(f"intel-{tee}.json"))


def _sgx(data: bytes) -> bytes:
    claims = authenticate_sgx(
        data,
        roots=_root("intel-root.der"),
        at=NOW,
        collateral=_collateral("sgx"),
        cache=_DCAP,
    )
    return claims.dcap.signed_sha256


def _tdx(data: bytes) -> bytes:
    claims = authenticate_tdx(
        data,
        roots=_root("intel-root.der"),
        at=NOW,
        collateral=_collateral("tdx"),
        cache=_DCAP,
    )
    return claims.dcap.signed_sha256


def _intel_collateral(data: bytes) -> bytes:
    collateral = IntelCollateral.from_bytes(data)
    authenticate_collateral(collateral, roots=_root("intel-root.der"))
    return sha256(collateral.tcb_info + collateral.qe_identity)


def _snp(data: bytes) -> bytes:
    collateral = AmdCollateral(
        ark=_beside("amd-ark.der"),
        authority=_beside("amd-ask.der"),
        vek=_beside("amd-vek.der"),
        crl=None,
    )
    roots = _root("amd-ark.der")
    claims = authenticate_snp(data, collateral=collateral, roots=roots, at=NOW, cache=_PATHS)
    return claims.signed_sha256


def _snp_extended(data: bytes) -> bytes:
    extended = ExtendedReport.from_bytes(data)
    collateral = AmdCollateral.from_extended_report(extended)
    roots = _root("amd-ark.der")
    return authenticate_snp(
        extended.report, collateral=collateral, roots=roots, at=NOW, cache=None
    ).signed_sha256


def _azure_tdx(data: bytes) -> bytes:
    claims = authenticate_azure_tdx(
        data,
        roots=_root("intel-root.der"),
        at=NOW,
        collateral=_collateral("tdx"),
        cache=_DCAP,
    )
    return sha256(claims.tdx.dcap.signed_sha256 + claims.vtpm.signed_sha256)


def _azure_snp(data: bytes) -> bytes:
    claims = authenticate_azure_snp(
        data,
        collateral=AmdCollateral(ark=_beside("amd-ark.der"), authority=_beside("amd-ask.der")),
        roots=_root("amd-ark.der"),
        at=NOW,
        cache=_PATHS,
    )
    return sha256(claims.snp.signed_sha256 + claims.vtpm.signed_sha256)


def _nvidia(data: bytes) -> bytes:
    return authenticate_nvidia(
        one_device(data),
        collateral=NvidiaCollateral(),
        roots=_root("nvidia-root.der"),
        rim_roots=_root("nvidia-rim-root.der"),
        at=NOW,
        cache=_PATHS,
    ).signed_sha256


def _nvidia_rim(data: bytes) -> bytes:
    roots = _root("nvidia-rim-root.der")
    return authenticate_rim(data, roots=roots, at=NOW, cache=_PATHS).signed_sha256


def _nvidia_answer(data: bytes) -> bytes:
    chain = (_beside("nvidia-root.der"), _beside("nvidia-family.der"))
    path = verify_path(
        chain, roots=_root("nvidia-root.der"), suite=ES384, to_authority=True, cache=_PATHS
    )
    root, family = path.certificates
    found = verify_ocsp(data, certificate=family, issuer=root, suite=ES384, where="it")
    return sha256(f"{found.status} {found.serial} {found.first} {found.last}".encode())


def _token(service: Service, data: bytes) -> bytes:
    # The fake's issuer has the same name in every process; its keys are in the set.
    return authenticate_token(
        data,
        issuer=SERVICES[service].issuer,
        collateral=TokenCollateral(jwks=_beside(f"{service.value}.json"), root=None),
        roots=_root(f"{service.value}.json"),
        at=NOW,
        cache=_PATHS,
    ).signed_sha256


def _google(data: bytes) -> bytes:
    return authenticate_token(
        data,
        issuer=SERVICES[Service.GOOGLE_CONFIDENTIAL_SPACE].issuer,
        collateral=TokenCollateral(jwks=None, root=None),
        roots=_root("google-root.der"),
        at=NOW,
        cache=_PATHS,
    ).signed_sha256


def _ear(data: bytes) -> bytes:
    token = data.decode("latin-1")
    verify_ear(token, keys=JwkSet.from_bytes(_beside("ear.json")), at=NOW)
    return sha256(data.rpartition(b".")[0])


# What a vendor could sign: behind the signature, nothing is refused for not being signed.

_nitro_vendor: Final = cache(FakeNitro)
_intel_vendor: Final = cache(FakeIntel)
_amd_vendor: Final = cache(FakeAmd)
_nvidia_vendor: Final = cache(FakeNvidia)


def _nitro_payload(data: bytes) -> None:
    vendor = _nitro_vendor()
    # The seed has another vendor's chain in it: what is read behind it is reached by its layout.
    Document.from_bytes(vendor.document(payload=data, signature=bytes(96)))


def _tdx_body(data: bytes) -> None:
    vendor = _intel_vendor()
    quote = vendor.quote(version=5, body=data, body_type=3)
    authenticate_tdx(quote, roots=vendor.roots, at=NOW, cache=_DCAP)


def _sgx_body(data: bytes) -> None:
    vendor = _intel_vendor()
    quote = vendor.quote("sgx", version=5, body=data, body_type=1)
    authenticate_sgx(quote, roots=vendor.roots, at=NOW, cache=_DCAP)


def _snp_body(data: bytes) -> None:
    vendor = _amd_vendor()
    authenticate_snp(
        vendor.report(body=data),
        collateral=vendor.collateral(),
        roots=vendor.roots,
        at=NOW,
        cache=_PATHS,
    )


def _nvidia_body(data: bytes) -> None:
    vendor = _nvidia_vendor()
    authenticate_nvidia(
        vendor.evidence(vendor.transcript(body=data)),
        collateral=NvidiaCollateral(),
        roots=vendor.roots,
        rim_roots=vendor.rim_roots,
        at=NOW,
        cache=_PATHS,
    )


def _token_claims(data: bytes) -> None:
    token = f"{part({'alg': 'RS256'})}.{text(data)}.".encode()
    for service in Service:
        with suppress(MalformedError):
            unverified_report(token, service=service)


def _tcb_info(data: bytes) -> None:
    TcbInfo.from_bytes(data)


def _qe_identity(data: bytes) -> None:
    QeIdentity.from_bytes(data)


def _pck_extension(data: bytes) -> None:
    SgxExtension.from_bytes(data)


# Certificates and codecs


def _certificate(data: bytes) -> None:
    # Pinned as a root, so that all of it is read, whoever signed it.
    for suite in (ES256, ES384, PS384_AMD):
        with suppress(RejectedError, MalformedError):
            verify_path((data, data), roots={"it": sha256(data)}, suite=suite)


@cache
def _issuer(name: str, suite: Suite) -> Certificate:
    chain = (_beside(f"{name}.der"), _beside(f"{name}.der"))
    path = verify_path(chain, roots=_root(f"{name}.der"), suite=suite, to_authority=True)
    return path.certificates[0]


def _crl(data: bytes) -> None:
    verify_crl(data, issuer=_issuer("intel-root", ES256), suite=ES256, where="the list")


def _der(data: bytes) -> None:
    reader = DerReader(data, where="it").enter(Tag.SEQUENCE, "a sequence")
    while reader.has(Tag.SEQUENCE):
        reader.enter(Tag.SEQUENCE, "a sequence").integer("a number")
    reader.finish()


def _cbor(data: bytes) -> None:
    value = cbor.loads(data, limit_bytes=LIMIT, indefinite=True)
    # What was read has one shortest form, which reads as the same.
    if cbor.loads(cbor.dumps(value), limit_bytes=LIMIT) != value:
        raise ForgedError("cbor")


def _cose(data: bytes) -> None:
    # Strict: there is one way to write a message.
    if Sign1.from_bytes(data, limit_bytes=LIMIT).to_bytes() != data:
        raise ForgedError("cose")


def _json(data: bytes) -> None:
    value = json.loads(data, limit_bytes=LIMIT)
    with suppress(MalformedError):
        if json.loads(json.canonical(value), limit_bytes=LIMIT) != value:
            raise ForgedError("json")


def _jwks(data: bytes) -> None:
    for key in JwkSet.from_bytes(data).keys.values():
        for algorithm in Algorithm:
            with suppress(MalformedError):
                key.public_key(algorithm)


def _expression(data: bytes) -> None:
    try:
        words = data.decode()
    except UnicodeDecodeError as error:
        raise MalformedError("no text") from error
    claims: json.JsonObject = {"list": [*range(100)], "text": "a" * 100, "number": 1}
    Expression.from_text(words, where="it").check(claims, at=NOW)


def _yaml(data: bytes) -> None:
    yaml.loads(data, limit_bytes=LIMIT)


def _policy(data: bytes) -> None:
    Policy.from_bytes(data)


# A notary's formats


def _proof(data: bytes) -> bytes:
    document = javascript.loads(data, limit_bytes=LIMIT)
    verdict = verify_commit(document, at=NOW)
    # Whatever the verdict is, it can be shown.
    codec_text(verdict.to_json(), ensure_ascii=False).encode()
    if not verdict.accepted:
        raise MalformedError(verdict.reasons[0].message)
    return sha256(Proof.from_json(document).body())


@cache
def _note_key() -> NoteKey:
    return NoteKey.from_text(_beside("log-key.txt").decode())


def _checkpoint(data: bytes) -> bytes:
    return sha256(open_checkpoint(data, keys=[_note_key()]).to_text().encode())


def _log_proof(data: bytes) -> bytes:
    place = LogProof.from_bytes(data)
    checkpoint = open_checkpoint(place.note, keys=[_note_key()])
    proof = Proof.from_bytes(_beside("logged-proof.json"))
    check_included(proof.hash(), index=place.index, path=place.path, checkpoint=checkpoint)
    return sha256(checkpoint.to_text().encode())


def _time_stamp(data: bytes) -> bytes:
    roots = [_beside("time-root.der")]
    return str(read_timestamp(data, message=b"a checkpoint", authorities=roots)).encode()


def _javascript(data: bytes) -> None:
    written = javascript.canonical(javascript.loads(data, limit_bytes=LIMIT))
    if javascript.canonical(javascript.loads(written, limit_bytes=16 * LIMIT)) != written:
        raise ForgedError("javascript")


def _notary_policy(data: bytes) -> None:
    NotaryPolicy.from_bytes(data)


# Whoever adds a format adds a line here, and its seeds in ``mint``.
TARGETS: Final[Mapping[str, Target]] = {
    target.name: target
    for target in (
        Target("nitro", _nitro, is_evidence=True),
        Target("sgx", _sgx, is_evidence=True),
        Target("tdx", _tdx, is_evidence=True),
        Target("sev-snp", _snp, is_evidence=True),
        Target("sev-snp-extended", _snp_extended, is_evidence=True),
        Target("azure-tdx", _azure_tdx, is_evidence=True),
        Target("azure-snp", _azure_snp, is_evidence=True),
        Target("nvidia", _nvidia, is_evidence=True),
        Target("nvidia-rim", _nvidia_rim, is_evidence=True),
        Target("nvidia-answer", _nvidia_answer, is_evidence=True),
        Target("token-intel", partial(_token, Service.INTEL_TRUST_AUTHORITY), is_evidence=True),
        Target("token-azure", partial(_token, Service.AZURE_ATTESTATION), is_evidence=True),
        Target("token-google", _google, is_evidence=True),
        Target("token-nras", partial(_token, Service.NVIDIA_NRAS), is_evidence=True),
        Target("ear", _ear, is_evidence=True),
        Target("intel-collateral", _intel_collateral, is_evidence=True),
        Target("nitro-payload", _nitro_payload),
        Target("sgx-body", _sgx_body),
        Target("tdx-body", _tdx_body),
        Target("sev-snp-body", _snp_body),
        Target("nvidia-body", _nvidia_body),
        Target("token-claims", _token_claims),
        Target("tcb-info", _tcb_info),
        Target("qe-identity", _qe_identity),
        Target("pck-extension", _pck_extension),
        Target("certificate", _certificate),
        Target("crl", _crl),
        Target("der", _der),
        Target("cbor", _cbor),
        Target("cose", _cose),
        Target("json", _json),
        Target("jwks", _jwks),
        Target("expression", _expression),
        Target("yaml", _yaml),
        Target("policy", _policy),
        Target("proof", _proof, is_evidence=True),
        Target("checkpoint", _checkpoint, is_evidence=True),
        Target("log-proof", _log_proof, is_evidence=True),
        Target("time-stamp", _time_stamp, is_evidence=True),
        Target("javascript", _javascript),
        Target("notary-policy", _notary_policy),
    )
}
