"""Sealing to one worker: a question's secrets, each bound to its place, or a proving request."""

from collections.abc import Mapping
from datetime import datetime

from adyton.codec.json import Json, JsonObject, canonical
from adyton.codec.text import to_base64
from adyton.crypto.hpke import SealSuite, seal
from adyton.model.proving import ProvingHeader, Scheme, SealedProving, Target, proving_info
from adyton.model.proving_job import ProvingJob, UltraHonkJob, job_to_bytes
from adyton.model.question import (
    SEALED_MARK,
    TOKEN_LOCATION,
    Endpoint,
    Question,
    member_location,
    seal_info,
)

__all__ = ["sealed_proving", "sealed_question"]


def sealed_question(
    endpoint: Endpoint,
    body: JsonObject,
    *,
    secrets: Mapping[str, Json],
    public_key: bytes,
    suite: SealSuite,
    now: datetime,
) -> tuple[Question, JsonObject]:
    """Return the question as it is asked, sealed values included, and the body to send.

    ``body`` has ``encrypted:`` where a secret stands; ``secrets`` has the secret for each such
    place, by its JSON pointer; ``ValueError`` where the two do not match. Raises ``MalformedError``
    where the body is no question, or the key none.
    """
    question = Question.from_json(endpoint, body)
    if missing := {item.location for item in question.sealed} ^ secrets.keys():
        raise ValueError(f"secrets and marks differ at {sorted(missing)}")
    issued_at = int(now.timestamp())
    boxes = {
        location: seal(
            public_key,
            canonical({"issued_at": issued_at, "value": value}),
            suite=suite,
            info=seal_info(location, question.bound),
        )
        for location, value in secrets.items()
    }
    sealed = _put(body, "", boxes)
    if not isinstance(sealed, dict):
        raise TypeError("a question is an object")
    return Question.from_json(endpoint, sealed), sealed


def sealed_proving(
    job: ProvingJob,
    *,
    target: Target,
    nonce: str,
    audience: str,
    public_key: bytes,
    suite: SealSuite,
    now: datetime,
) -> SealedProving:
    """Return ``job`` sealed as a whole: its ``to_bytes`` is what is sent, once.

    Raises ``MalformedError`` where ``target`` is not one of the job's scheme, or the key none.
    """
    header = ProvingHeader(
        scheme=Scheme.ULTRA_HONK if isinstance(job, UltraHonkJob) else Scheme.CHONK,
        target=target,
        nonce=nonce,
        audience=audience,
        issued_at=int(now.timestamp()),
    )
    box = seal(public_key, job_to_bytes(job), suite=suite, info=proving_info(header))
    return SealedProving(header=header, box=box)


def _put(value: Json, location: str, boxes: Mapping[str, bytes]) -> Json:
    match value:
        case dict():
            return {
                key: _put(item, member_location(location, key), boxes)
                for key, item in value.items()
            }
        case list():
            return [_put(item, f"{location}/{i}", boxes) for i, item in enumerate(value)]
        case str() if location in boxes:
            text = to_base64(boxes[location])
            # RFC-0023 has no mark before the token.
            return text if location == TOKEN_LOCATION else SEALED_MARK + text
        case _:
            return value
