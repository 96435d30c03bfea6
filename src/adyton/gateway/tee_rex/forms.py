"""What TEE-Rex's protocol looks like, for ``/openapi.json`` and ``/docs`` only."""

from typing import Any, Literal

from pydantic import Field

from adyton.gateway.schemas import Absent, Base64, Document

__all__ = [
    "TeeRexAttestation",
    "TeeRexEnvelope",
    "TeeRexHealth",
    "TeeRexKey",
    "TeeRexProof",
]

_Versions = list[dict[Literal["version", "sha256"], str]]


class TeeRexAttestation(Document):
    """The worker's OpenPGP key, and what vouches for it."""

    mode: Literal["standard", "nitro", "sgx"]
    public_key: str = Field(alias="publicKey", description="armored")
    attestation_document: Base64 | Absent = Field(
        None, alias="attestationDocument", description="for `nitro`: over the key"
    )
    quote: Base64 | Absent = Field(None, description="for `sgx`: over SHA-256 of the key")
    bb_versions: _Versions | Absent = Field(None, alias="bbVersions")


class TeeRexKey(Document):
    """The worker's OpenPGP key."""

    public_key: str = Field(alias="publicKey", description="armored")


class TeeRexEnvelope(Document):
    """An OpenPGP message whose content is Aztec's `ivc-inputs.msgpack`."""

    data: Base64


class TeeRexProof(Document):
    """A Chonk proof: the count of its field elements in four bytes, then these."""

    proof: Base64


class TeeRexHealth(Document):
    """That the server runs."""

    ok: Literal[True]
    status: Literal["ok"]
    api_version: int
    available_versions: list[str]
    bb_hashes: _Versions
    enclave: Literal["ok", "unreachable"]
    runtime: dict[str, Any]
