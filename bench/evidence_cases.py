"""What is measured of each technology: evidence by the fakes, with keys of vendors' own sizes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import cbor2
import dcap_qvl  # type: ignore[import-untyped]
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils
from cryptography.hazmat.primitives.hashes import SHA256, SHA384
from tests.fakes.amd import NOW, FakeAmd, Keys
from tests.fakes.amd_azure import FakeAzureSnp
from tests.fakes.intel import FakeIntel
from tests.fakes.intel_azure import FakeAzure
from tests.fakes.nitro import FakeNitro
from tests.fakes.nvidia import FakeNvidia
from tests.fakes.tokens import FakeService

from adyton.crypto.path import PathCache, verify_path
from adyton.crypto.suites import ES384, PS384_AMD
from adyton.evidence.azure.snp import authenticate as authenticate_azure_snp
from adyton.evidence.azure.tdx import authenticate as authenticate_azure_tdx
from adyton.evidence.dcap.collateral import IntelCollateral
from adyton.evidence.dcap.endorsements import DcapCache, authenticate_collateral
from adyton.evidence.nitro.authenticate import authenticate as authenticate_nitro
from adyton.evidence.nvidia.authenticate import authenticate as authenticate_nvidia
from adyton.evidence.nvidia.collateral import NvidiaCollateral
from adyton.evidence.nvidia.layout import Transcript
from adyton.evidence.sev_snp.authenticate import authenticate as authenticate_snp
from adyton.evidence.sev_snp.layout import Report
from adyton.evidence.sgx.authenticate import authenticate as authenticate_sgx
from adyton.evidence.tdx.authenticate import authenticate as authenticate_tdx
from adyton.evidence.token.authenticate import authenticate as authenticate_token
from adyton.evidence.token.services import Service

__all__ = ["Case", "Run", "cases"]

Run = Callable[[], object]

# Quote, quoting enclave, two certificates of the platform, the TCB signer's, two lists, two texts.
SIGNATURES = 9
# About what is signed of a quote.
SIGNED = 632


@dataclass(frozen=True, slots=True)
class Case:
    """One technology: what it is held against, and ways to verify, each with what is wanted."""

    name: str
    against: str
    bare: Run | None
    # A way is prepared anew before each time that is taken.
    ways: Mapping[str, tuple[Callable[[], Run], float | None]]


def nitro() -> Case:
    """Return the case of Nitro: four certificates under a pinned root, and the document."""
    vendor = FakeNitro()
    document, roots = vendor.document(), vendor.roots
    keys = [key.public_key() for key in vendor.keys]
    algorithm = ec.ECDSA(SHA384())
    checks = [
        (key, found.signature, found.tbs_certificate_bytes)
        for key, found in zip(
            keys, map(x509.load_der_x509_certificate, vendor.chain[1:]), strict=False
        )
    ]
    protected, _, payload, signature = cbor2.loads(document)
    signed = cbor2.dumps(["Signature1", protected, b"", payload])
    checks.append((keys[-1], to_der(signature), signed))

    def bare() -> None:
        for key, found, message in checks:
            key.verify(found, message, algorithm)

    def way(cache: PathCache | None) -> Run:
        return lambda: authenticate_nitro(document, roots=roots, at=NOW, cache=cache)

    def known_vendor() -> Run:
        cache = PathCache()
        verify_path(
            vendor.chain[:-1], roots=vendor.roots, suite=ES384, to_authority=True, cache=cache
        )
        return way(cache)

    warm = PathCache()
    way(warm)()
    return Case(
        "Nitro",
        "its five P-384 signatures",
        bare,
        {
            "first": (lambda: way(None), 1.3),
            "known vendor": (known_vendor, None),
            "again": (lambda: way(warm), 0.35),
        },
    )


def intel(tee: Any, version: int) -> Case:
    """Return the case of SGX or TDX, collateral and all from bytes, as ``dcap-qvl`` does it."""
    vendor = FakeIntel()
    quote, file = vendor.quote(tee, version=version), vendor.collateral(tee)
    roots = vendor.roots
    authenticate: Any = {"sgx": authenticate_sgx, "tdx": authenticate_tdx}[tee]
    text, root, seconds = file.decode(), vendor.der("root"), int(NOW.timestamp())

    def bare() -> None:
        collateral = dcap_qvl.QuoteCollateralV3.from_json(text)
        dcap_qvl.verify_with_root_ca(quote, collateral, root, seconds)

    def way(cache: DcapCache | None) -> Run:
        return lambda: authenticate(
            quote,
            roots=roots,
            at=NOW,
            collateral=IntelCollateral.from_bytes(file),
            cache=cache,
        )

    def known_vendor() -> Run:
        cache = DcapCache()
        authenticate_collateral(IntelCollateral.from_bytes(file), roots=vendor.roots, cache=cache)
        return way(cache)

    key, message = vendor.keys["attestation"], quote[:SIGNED]
    signature, algorithm = key.sign(message, ec.ECDSA(SHA256())), ec.ECDSA(SHA256())

    def nine() -> None:
        for _ in range(SIGNATURES):
            key.public_key().verify(signature, message, algorithm)

    warm = DcapCache()
    way(warm)()
    return Case(
        tee.upper(),
        "dcap-qvl",
        bare,
        {
            "its nine signatures, checked by ours": (lambda: nine, None),
            "first": (lambda: way(None), 1.3),
            "known vendor": (known_vendor, 1.3),
            "again": (lambda: way(warm), 1.3),
        },
    )


def snp() -> Case:
    """Return the case of SEV-SNP: two certificates under a pinned root, and the report."""
    vendor = amd()
    data, collateral, roots = vendor.report(), vendor.collateral(), vendor.roots
    pss, report = padding.PSS(padding.MGF1(SHA384()), 48), Report.from_bytes(data)
    found = to_der(report.signature)
    ark, ask, vek = (
        getattr(vendor.keys, name).public_key() for name in ("ark", "authority", "vek")
    )
    certificates = [der_parts(part) for part in (vendor.authority_der, vendor.vek_der)]

    def bare() -> None:
        for key, (signed, signature) in zip((ark, ask), certificates, strict=True):
            key.verify(signature, signed, pss, SHA384())
        vek.verify(found, report.signed_bytes, ec.ECDSA(SHA384()))

    def way(cache: PathCache | None) -> Run:
        return lambda: authenticate_snp(
            data, collateral=collateral, roots=roots, at=NOW, cache=cache
        )

    def known_vendor() -> Run:
        cache = PathCache()
        chain = (collateral.ark, collateral.authority)
        verify_path(chain, roots=vendor.roots, suite=PS384_AMD, to_authority=True, cache=cache)
        return way(cache)

    warm = PathCache()
    way(warm)()
    return Case(
        "SEV-SNP",
        "its RSA-4096 and P-384 signatures",
        bare,
        {
            "first": (lambda: way(None), 1.3),
            "known vendor": (known_vendor, 1.3),
            "again": (lambda: way(warm), 1.3),
        },
    )


def azure() -> list[Case]:
    """Return those of Azure's bundles: the hardware's evidence, and the vTPM's quote under it."""
    intel_vendor, amd_vendor = FakeIntel(), amd()
    tdx = FakeAzure(intel_vendor).bundle()
    snp_bundle = FakeAzureSnp(amd_vendor).bundle()
    collateral = IntelCollateral.from_bytes(intel_vendor.collateral())
    dcap, paths = DcapCache(), PathCache()
    tdx_roots, snp_roots = intel_vendor.roots, amd_vendor.roots

    def of_tdx(cache: DcapCache) -> Run:
        return lambda: authenticate_azure_tdx(
            tdx, roots=tdx_roots, at=NOW, collateral=collateral, cache=cache
        )

    def of_snp(cache: PathCache) -> Run:
        return lambda: authenticate_azure_snp(
            snp_bundle,
            collateral=amd_vendor.collateral(vek=None),
            roots=snp_roots,
            at=NOW,
            cache=cache,
        )

    of_tdx(dcap)()
    of_snp(paths)()
    return [
        Case(
            "Azure TDX",
            "",
            None,
            {
                "first": (lambda: of_tdx(DcapCache()), None),
                "again": (lambda: of_tdx(dcap), None),
            },
        ),
        Case(
            "Azure SEV-SNP",
            "",
            None,
            {
                "first": (lambda: of_snp(PathCache()), None),
                "again": (lambda: of_snp(paths), None),
            },
        ),
    ]


def nvidia() -> list[Case]:
    """Return those of NVIDIA: four certificates and the report; and with all beside it."""
    vendor = FakeNvidia()
    evidence, roots, rim_roots = vendor.evidence(), vendor.roots, vendor.rim_roots
    alone = vendor.collateral(driver_rim=None, vbios_rim=None, ocsp=())
    whole = vendor.collateral()
    transcript = Transcript.from_bytes(evidence.transcript)
    chain = [x509.load_der_x509_certificate(part) for part in vendor.chain]
    keys: list[Any] = [found.public_key() for found in chain]
    algorithm = ec.ECDSA(SHA384())
    checks = [
        (key, found.signature, found.tbs_certificate_bytes)
        for key, found in zip(keys, chain[1:], strict=False)
    ]
    checks.append((keys[-1], to_der(transcript.signature), transcript.signed_bytes))

    def bare() -> None:
        for key, found, message in checks:
            key.verify(found, message, algorithm)

    def way(collateral: NvidiaCollateral, cache: PathCache | None) -> Run:
        return lambda: authenticate_nvidia(
            evidence,
            collateral=collateral,
            roots=roots,
            rim_roots=rim_roots,
            at=NOW,
            cache=cache,
        )

    def known_vendor() -> Run:
        cache = PathCache()
        verify_path(
            vendor.chain[:3], roots=vendor.roots, suite=ES384, to_authority=True, cache=cache
        )
        return way(alone, cache)

    warm = PathCache()
    way(whole, warm)()
    return [
        Case(
            "NVIDIA, the report alone",
            "its five P-384 signatures",
            bare,
            {
                "first": (lambda: way(alone, None), 1.3),
                "known vendor": (known_vendor, 1.3),
                "again": (lambda: way(alone, warm), 1.3),
            },
        ),
        Case(
            "NVIDIA, with golden values and answers about revocation",
            "",
            None,
            {
                "first": (lambda: way(whole, None), None),
                "again": (lambda: way(whole, warm), None),
            },
        ),
    ]


def token(service: Service) -> Case:
    """Return the case of an attestation service's token."""
    vendor = FakeService(service)
    data, collateral = vendor.mint(), vendor.collateral()
    roots = vendor.roots if vendor.root else vendor.pinned()

    def way(cache: PathCache | None) -> Run:
        return lambda: authenticate_token(
            data, issuer=vendor.issuer, collateral=collateral, roots=roots, at=NOW, cache=cache
        )

    warm = PathCache()
    way(warm)()
    return Case(
        f"token of {service}",
        "",
        None,
        {"first": (lambda: way(None), None), "again": (lambda: way(warm), None)},
    )


def cases() -> list[Case]:
    """Return all of them."""
    return [
        nitro(),
        intel("sgx", 3),
        intel("tdx", 4),
        snp(),
        *azure(),
        *nvidia(),
        *map(token, Service),
    ]


def amd() -> FakeAmd:
    """Return a fake AMD with keys of AMD's own sizes."""
    keys = Keys()
    keys.ark, keys.authority = (
        rsa.generate_private_key(public_exponent=65537, key_size=4096) for _ in range(2)
    )
    return FakeAmd(keys=keys)


def to_der(signature: bytes) -> bytes:
    """Return r and s as certificates have them."""
    half = len(signature) // 2
    r, s = (int.from_bytes(part, "big") for part in (signature[:half], signature[half:]))
    return utils.encode_dss_signature(r, s)


def der_parts(certificate: bytes) -> tuple[bytes, bytes]:
    """Return what is signed of a certificate of more than 255 bytes, and the signature."""
    size = 4 + int.from_bytes(certificate[6:8], "big")
    return certificate[4 : 4 + size], certificate[-512:]
