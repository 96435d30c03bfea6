"""What the registry's requests and answers look like, for the description only."""

from typing import Any, Final, Literal

from pydantic import Field

from adyton.gateway.registry.reading import PAGE
from adyton.gateway.routes import Operation, Parameter
from adyton.gateway.schemas import Absent, Base64, Document

__all__ = [
    "CANDIDATES",
    "CHALLENGE",
    "HEARTBEAT",
    "REGISTER",
    "REINSTATE",
    "SELECTION",
    "SUSPEND",
    "WORKER",
    "WORKERS",
]

_State = Literal["active", "draining", "offline", "untrusted", "attestation-expired", "suspended"]


class ChallengeDocument(Document):
    """What the next registration's evidence and signature have to be over."""

    challenge: Base64
    expires: str


class RegistrationDocument(Document):
    """A worker that applies. What is signed is in docs/registry.md."""

    manifest: dict[str, Any]
    challenge: Base64
    endpoint: str = Field(description="an https address, without a query")
    signature: Base64 = Field(description="Ed25519, by the manifest's signing key")
    evidence: Base64 | Absent = Field(None, description="over the manifest and the challenge")
    collateral: dict[str, Any] | Absent = None


class AttestationSummary(Document):
    """What the evidence says that was accepted."""

    technology: str
    platform: str
    measurements: dict[str, str]
    signed_sha256: str
    verified: str
    until: str
    collateral_fetched: str | Absent = Field(
        None, description="when the registry had the collateral from its vendor, where it did"
    )


class WorkerDocument(Document):
    """A registered worker."""

    id: str = Field(description="SHA-256 of its signing key")
    endpoint: str
    state: _State
    attested: bool
    weight: int = Field(description="tickets in a draw: 2 if attested, else 1, and 0 unless active")
    manifest_sha256: str
    registered: str
    heartbeat: str
    attestation: AttestationSummary | None
    reason: str | Absent = None


class ShownWorkerDocument(WorkerDocument):
    """A registered worker, with what it showed: enough to verify it again."""

    manifest: dict[str, Any]
    challenge: Base64
    evidence: Base64
    collateral: dict[str, Any] | None


class WorkerList(Document):
    """Workers, by their names; `after` is there where more may follow."""

    workers: list[WorkerDocument]
    after: str | Absent = None


class HeartbeatDocument(Document):
    """A sign of life. What is signed is in docs/registry.md."""

    state: Literal["active", "draining", "offline"]
    time: int = Field(description="milliseconds since 1970, later than in the heartbeat before")
    signing_key: Base64
    signature: Base64


class StateDocument(Document):
    """The state that a worker is in now."""

    id: str
    state: _State


class SuspensionDocument(Document):
    """Why a worker is taken out. Anybody can read it."""

    reason: str


class Candidate(Document):
    """A name and its tickets."""

    id: str
    weight: int


class CandidateList(Document):
    """Who may be drawn now."""

    function: Literal["adyton/draw/v1"]
    candidates: list[Candidate]
    candidates_sha256: str
    at: str


class SelectionDocument(CandidateList):
    """A draw, with all that it is a function of."""

    seed: str
    selected: list[WorkerDocument]


_ID: Final = Parameter(name="id", text="the worker: SHA-256 of its signing key", place="path")
_WANTED: Final = (
    Parameter(name="technology", text="as in `attestation.technology`"),
    Parameter(name="measurement", text="a register and its value, `pcr0:` and hexadecimal"),
    Parameter(name="attested", text="`true`: only those that hardware vouches for"),
)

CHALLENGE: Final = Operation(
    summary="Begin to register a worker",
    text="A challenge for one registration with the same key, within five minutes.",
    answer=ChallengeDocument,
)
REGISTER: Final = Operation(
    summary="Register a worker, new or again",
    text="Its evidence is verified first, under the registry's policy: 403 says why it is refused.",
    body=RegistrationDocument,
    answer=WorkerDocument,
)
HEARTBEAT: Final = Operation(
    summary="Say that a worker is there",
    text="Signed by the worker. Who says nothing for 90 seconds counts as offline.",
    body=HeartbeatDocument,
    answer=StateDocument,
    parameters=(_ID,),
)
SUSPEND: Final = Operation(
    summary="Take a worker out",
    text="For the operator. Only the operator can end it.",
    body=SuspensionDocument,
    answer=StateDocument,
    parameters=(_ID,),
)
REINSTATE: Final = Operation(
    summary="Let a suspended worker come back",
    text="For the operator. The worker has to register anew before it is given work.",
    answer=StateDocument,
    parameters=(_ID,),
)
WORKERS: Final = Operation(
    summary="The registered workers",
    text="By their names. No key needed.",
    answer=WorkerList,
    parameters=(
        *_WANTED,
        Parameter(name="state", text="the state that they are in"),
        Parameter(name="limit", text=f"how many, up to {PAGE}"),
        Parameter(name="after", text="the name behind which to begin"),
    ),
    is_open=True,
)
WORKER: Final = Operation(
    summary="One registered worker",
    text="With what it showed, so that nobody has to believe the registry. No key needed.",
    answer=ShownWorkerDocument,
    parameters=(_ID,),
    is_open=True,
)
CANDIDATES: Final = Operation(
    summary="Who may be drawn now",
    text="The list, and the digest that stands for it. No key needed.",
    answer=CandidateList,
    parameters=_WANTED,
    is_open=True,
)
SELECTION: Final = Operation(
    summary="Draw a worker",
    text="A function of the seed and of the list, which anybody can repeat: docs/registry.md has"
    " it byte for byte. No key needed.",
    answer=SelectionDocument,
    parameters=(
        Parameter(name="seed", text="16 to 64 bytes in hexadecimal, public and unforeseen"),
        Parameter(name="count", text="how many, up to 16; 1 if left out"),
        Parameter(name="candidates_sha256", text="the list that the draw has to be over"),
        *_WANTED,
    ),
    is_open=True,
)
