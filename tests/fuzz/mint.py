"""``python -m tests.fuzz.mint``: make the corpus anew, all of it by the fakes.

The vendors' keys are forgotten at once: what is in the corpus cannot be changed, only made again.
"""

import json
import shutil
from collections.abc import Iterator
from typing import Any

from tests.fakes.amd import FakeAmd, List, table
from tests.fakes.amd_azure import FakeAzureSnp
from tests.fakes.intel import FakeIntel, enclave_report, extension, td_report
from tests.fakes.intel import List as IntelList
from tests.fakes.intel_azure import FakeAzure
from tests.fakes.nitro import CHAIN, FakeNitro
from tests.fakes.nvidia import Answer, FakeNvidia, Keys
from tests.fakes.proofs import FakeNotary
from tests.fakes.timestamps import FakeAuthority
from tests.fakes.tokens import KINDS, NOW, SERVICES
from tests.fuzz.targets import CORPUS

from adyton.appraisal.ear import Ear, Tier, VerifierId, issue_ear
from adyton.codec import cbor
from adyton.codec.cose import Sign1
from adyton.crypto.ecdsa import Es256Key
from adyton.crypto.jws import TokenSigner
from adyton.crypto.timestamp import timestamp_request
from adyton.evidence.nitro.layout import MAX_DOCUMENT_BYTES
from adyton.evidence.token.services import Service

POLICY = {
    "version": "adyton/policy/v1",
    "roots": {"aws-nitro": "built-in", "mine": "0e" * 32},
    "platforms": {
        "nitro": {
            "debug": "refused",
            "tcb": "not-required",
            "measurements": {"mine": {"pcr0": "0a" * 48, "pcr8": "0b" * 48}},
        }
    },
    "evidence": {"maximum_age_seconds": 10800, "challenge": "not-required"},
}
YAML = """# a list, a map, and each kind of scalar
roots: {mine: "0e"}
list: [1, -2, true, null, "yes", 'two words']
text: |
  a block
  of lines
"""


def nitro() -> Iterator[tuple[str, bytes]]:
    """Yield documents with and without most of a chain, and what is inside them."""
    vendor = FakeNitro((CHAIN[0], CHAIN[-1]))
    small = vendor.fields(pcrs={0: bytes(48), 8: b"\1" * 48}, public_key=None, user_data=None)
    document = vendor.document(small)
    yield "beside/nitro-root.der", vendor.chain[0]
    yield "nitro/untagged", document
    yield "nitro/tagged", vendor.document(tag=18)
    message = Sign1.from_bytes(document, limit_bytes=MAX_DOCUMENT_BYTES)
    yield "nitro-payload/small", message.payload
    yield "cose/document", document
    yield "cbor/payload", message.payload
    yield "certificate/nitro-root", vendor.chain[0]


def intel() -> Iterator[tuple[str, bytes]]:
    """Yield quotes of every version, collateral, and Azure's bundle around a quote."""
    vendor = FakeIntel()
    yield "beside/intel-root.der", vendor.der("root")
    for version in (3, 4, 5):
        yield f"sgx/version-{version}", vendor.quote("sgx", version=version)
    for version in (4, 5):
        yield f"tdx/version-{version}", vendor.quote(version=version)
    sgx, tdx = vendor.collateral("sgx"), vendor.collateral("tdx")
    yield "beside/intel-sgx.json", sgx
    yield "beside/intel-tdx.json", tdx
    yield "intel-collateral/sgx", sgx
    yield "intel-collateral/tdx", tdx
    yield "tcb-info/sgx", vendor.tcb_info("sgx").encode()
    yield "tcb-info/tdx", vendor.tcb_info().encode()
    yield "qe-identity/tdx", vendor.qe_identity().encode()
    yield "json/qe-identity", vendor.qe_identity().encode()
    yield "pck-extension/scalable", extension()
    yield "sgx-body/report", enclave_report()
    yield "tdx-body/report", td_report(size=648)
    yield "certificate/intel-root", vendor.der("root")
    yield "certificate/pck", vendor.der("pck")
    yield "crl/root", vendor.crl("root")
    yield "crl/revoked", vendor.crl("root", IntelList(revoked=(1, 2**150)))
    yield "azure-tdx/bundle", FakeAzure(vendor).bundle()


def amd() -> Iterator[tuple[str, bytes]]:
    """Yield reports of every version, one with its certificates, and Azure's bundle around one."""
    vendor = FakeAmd()
    yield "beside/amd-ark.der", vendor.ark_der
    yield "beside/amd-ask.der", vendor.authority_der
    yield "beside/amd-vek.der", vendor.vek_der
    for version in (2, 3, 4, 5):
        yield f"sev-snp/version-{version}", vendor.report(version=version)
    parts = [
        ("vcek", vendor.vek_der),
        ("ask", vendor.authority_der),
        ("ark", vendor.ark_der),
        ("crl", vendor.crl(List(revoked=(1, 2)))),
    ]
    yield "sev-snp-extended/report", vendor.report() + table(parts)
    yield "sev-snp-body/report", vendor.body()
    yield "certificate/ark", vendor.ark_der
    yield "certificate/vcek", vendor.vek_der
    yield "azure-snp/bundle", FakeAzureSnp(vendor).bundle()


def nvidia() -> Iterator[tuple[str, bytes]]:
    """Yield reports of each generation, golden values, and answers about an authority."""
    keys = Keys()
    for name in ("hopper", "blackwell"):
        # Two measurements of 64 that are alike but for their values.
        vendor = FakeNvidia(name, keys=keys)
        report = vendor.transcript(values=vendor.values()[:2])
        yield f"nvidia-body/{name}", report[:-96]
    switch = FakeNvidia("ls10", keys=keys)
    report = switch.transcript(values=switch.values()[:2])
    # A line end behind the last certificate may be there or not.
    yield "nvidia/joined", report + switch.pem().rstrip(b"\n")
    yield "nvidia/file", switch.file(transcript=report)
    yield "nvidia-rim/vbios", switch.rim("vbios", golden={1: switch.golden("vbios")[1]})
    for name, recipe in (("delegated", Answer()), ("direct", Answer(is_direct=True))):
        yield f"nvidia-answer/{name}", switch.answer("family", recipe)
    yield "beside/nvidia-root.der", switch.der["root"]
    yield "beside/nvidia-family.der", switch.der["family"]
    yield "beside/nvidia-rim-root.der", switch.der["rim_root"]


def tokens() -> Iterator[tuple[str, bytes]]:
    """Yield a token of each service, its claims, key sets, and an attestation result."""
    short = {
        Service.INTEL_TRUST_AUTHORITY: "intel",
        Service.AZURE_ATTESTATION: "azure",
        Service.NVIDIA_NRAS: "nras",
    }
    for service, name in short.items():
        yield f"beside/{service.value}.json", SERVICES[service].jwks()
        yield f"token-{name}/token", SERVICES[service].mint()
    google = SERVICES[Service.GOOGLE_CONFIDENTIAL_SPACE]
    yield "beside/google-root.der", google.root
    yield "token-google/token", google.mint()
    for service, kind in KINDS:
        if service is not Service.NVIDIA_NRAS:
            claims = json.dumps(SERVICES[service].claims(kind)).encode()
            yield f"token-claims/{service.value}-{kind or 'vm'}", claims
    yield "jwks/rsa", SERVICES[Service.AZURE_ATTESTATION].jwks()
    yield "jwks/chain", SERVICES[Service.NVIDIA_NRAS].jwks()
    signer = TokenSigner(Es256Key())
    ear = Ear(
        verifier=VerifierId(developer="https://adyton.example", build="1"),
        statuses={"worker": Tier.AFFIRMING},
        vectors={"worker": {"hardware": 2, "executables": 3}},
        nonce=bytes(8),
        issued=NOW,
    )
    yield "beside/ear.json", signer.public_set
    yield "ear/token", issue_ear(ear, signer=signer).encode()
    yield "expression/loops", b"claims.list.all(x, claims.list.exists(y, x == y))"
    yield "expression/text", b'claims.text.matches("^a+$") && claims.number in [1, 2] || !true'


def codecs() -> Iterator[tuple[str, bytes]]:
    """Yield a little of everything that a codec reads."""
    value: cbor.Cbor = [0, 23, 24, 256, 65536, 2**32, -1, b"bytes", "text", True, None]
    yield "cbor/kinds", cbor.dumps({"list": value, 1: cbor.Tagged(18, {})})
    yield "cbor/indefinite", bytes.fromhex("bf61619f0102ffff")
    kinds: Any = [{"a": 1, "b": [True, None, -5, 1.5, 1e3, "\u00e9\U0001f600"]}, "", {}]
    yield "json/kinds", json.dumps(kinds).encode()
    yield "der/sequences", bytes.fromhex("300c3003020101300502030100003000")
    yield "yaml/kinds", YAML.encode()
    yield "policy/json", json.dumps(POLICY).encode()


def notary() -> Iterator[tuple[str, bytes]]:
    """Yield a notary's proofs, its log, and what an authority says of the time."""
    maker = FakeNotary()
    for number in range(5):
        maker.commit(bytes([number]), metadata={"10": 1.5, "9": "\u00e9"})
    maker.next_epoch(1)
    maker.commit(b"linked")
    yield "proof/first", maker.proofs[0]
    yield "proof/linked", maker.proofs[-1]
    yield "beside/logged-proof.json", maker.proofs[2]
    yield "beside/log-key.txt", maker.note_key.to_text().encode()
    yield "checkpoint/note", maker.checkpoint()
    yield "log-proof/third", maker.place(3).to_bytes()
    authority = FakeAuthority()
    yield "beside/time-root.der", authority.root
    yield "time-stamp/answer", authority.answer(timestamp_request(b"a checkpoint"))
    yield "javascript/kinds", b'{"b":[1e21,-0,0.1,"\\ud800"],"10":null,"__proto__":{},"9":true}'
    anchors = {"requireEnforcement": "stub", "minCounter": "1", "maxTime": 1795175940136}
    yield "notary-policy/anchors", json.dumps(anchors).encode()
    yield "notary-policy/receipts", json.dumps(POLICY).encode()


MINTS = (nitro, intel, amd, nvidia, tokens, codecs, notary)


def main() -> None:
    """Write the corpus, and remove what was there."""
    shutil.rmtree(CORPUS, ignore_errors=True)
    for mint in MINTS:
        for name, data in mint():
            path = CORPUS / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)


if __name__ == "__main__":
    main()
