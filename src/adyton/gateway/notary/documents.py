"""The forms of committing, for the description of the API."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

__all__ = [
    "CommitDocument",
    "CommittedDocument",
    "ConsistencyDocument",
    "DigestDocument",
    "EpochDocument",
    "EpochList",
    "KeyDocument",
    "ProofDocument",
    "ProofVerdictDocument",
    "ProofVerificationDocument",
    "StampDocument",
]


class _Form(BaseModel):
    """Fields as the format spells them."""

    model_config = ConfigDict(alias_generator=to_camel)


class DigestDocument(_Form):
    """A SHA-256 digest."""

    digest_b64: str = Field(description="32 bytes, canonical base64")
    hash_alg: Literal["sha256"]


class CommitDocument(_Form):
    """Digests to commit, all or none."""

    digests: list[DigestDocument] = Field(description="1 to 4096, in the order of their proofs")
    metadata: dict[str, Any] | None = Field(
        default=None, description="up to 4 KiB; in each proof and in its hash, signed by nobody"
    )
    prev_proof_id: str | None = Field(default=None, description="taken, and without effect")
    attestation: Literal["epoch", "fresh"] = Field(
        default="epoch", description="`fresh`: evidence over each proof, for up to 16 digests"
    )


class ProofDocument(_Form):
    """A proof of the format provenclave/1."""

    version: Literal["provenclave/1"]
    artifact: dict[str, Any]
    commit: dict[str, Any]
    signer: dict[str, Any]
    environment: dict[str, Any]
    metadata: dict[str, Any] | None = None


class CommittedDocument(_Form):
    """The proofs, in the order of their digests: the answer is the list itself."""

    proofs: list[ProofDocument]


class KeyDocument(_Form):
    """The key that signs now."""

    public_key_b64: str
    measurement: str
    enforcement: str
    epoch_id: str
    anchor: str


class ProofVerificationDocument(_Form):
    """A proof, and what is accepted of it."""

    proof: dict[str, Any]
    policy: dict[str, Any] | None = Field(default=None, description="npm's trust anchors")


class ProofVerdictDocument(_Form):
    """Whether a proof holds; the bytes that it is about were not seen."""

    valid: bool
    reason: str | None = None
    checks: list[str]


class ConsistencyDocument(_Form):
    """That the log of `new` proofs begins with the log of `old`."""

    old: int
    new: int
    path: list[str]


class StampDocument(_Form):
    """A checkpoint that an authority stamped with the time."""

    checkpoint: str = Field(description="the signed note, byte for byte")
    stamp_b64: str = Field(description="the authority's answer over it (RFC 3161), base64")


class EpochDocument(_Form):
    """The time of one key."""

    epoch_id: str
    public_key_b64: str
    enforcement: str
    measurement: str
    anchor: str
    first: str = Field(description="the counter of its first proof")
    prev_proof_hash_b64: str | None = None
    prev_epoch_id: str | None = None
    attestation: dict[str, str]


class EpochList(_Form):
    """Epochs in order, some at a time."""

    epochs: list[EpochDocument]
