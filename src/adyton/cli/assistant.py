"""What an assistant may do here through the Model Context Protocol: commit, verify, and ask.

A model chooses the arguments, and whoever writes what it reads may choose them for it. So the
operator decides beforehand which gateway, which policy, whose credentials and which folder: no
argument names a secret or leaves the folder, and no file is replaced.
"""

import asyncio
import hashlib
import json
import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from adyton.appraisal.policy import Policy
from adyton.cli.credentials import Secrets
from adyton.cli.development import write_whole
from adyton.cli.proofs import proof_place
from adyton.codec.javascript import Value, loads
from adyton.codec.json import as_object, canonical
from adyton.codec.json import loads as strict_loads
from adyton.errors import MalformedError, RejectedError, UnavailableError
from adyton.ledger.proof import MAX_PROOF_BYTES
from adyton.model.verdict import Verdict
from adyton.sdk.client import AsyncClient
from adyton.sdk.committing import Committed, commit
from adyton.sdk.proofs import digest_of, find_proof, judge_proof
from adyton.sdk.session import now
from adyton.sdk.transport import AsyncTransport
from adyton.verification.notary_policy import OPEN, NotaryPolicy

__all__ = ["Assistant", "FileOutsideError", "NotConfiguredError", "ProofThereError"]

_NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
_SHOWN_NONCE: Final = 12
_MAX_PREDICATE: Final = 64 * 1024
_NO_SECRETS: Final = Secrets(credentials={}, places={})


class FileOutsideError(RejectedError):
    """A file was named that is not in the folder that the operator gave."""

    code = "file-outside"

    def __init__(self) -> None:
        super().__init__("the file is not in the folder that this server may use")


class ProofThereError(RejectedError):
    """The file has a proof already."""

    code = "proof-there"

    def __init__(self) -> None:
        super().__init__("there is a proof of this file already, and it is the older one")


class NotConfiguredError(UnavailableError):
    """The operator did not configure what this takes."""

    code = "not-configured"

    def __init__(self, *, what: str) -> None:
        super().__init__(f"the operator of this server did not give it {what}")
        self.what = what


@dataclass(frozen=True, slots=True, kw_only=True)
class Assistant:
    """The tools, and what the operator decided about them.

    ``folder`` is where files are; ``policy`` says which workers are trusted with ``secrets``,
    and without both there are no questions; ``notary_policy`` says whose proofs are accepted.
    """

    url: str
    api_key: str = field(repr=False)
    ca_file: Path | None
    folder: Path
    policy: Policy | None
    notary_policy: NotaryPolicy = OPEN
    secrets: Secrets = _NO_SECRETS

    @property
    def has_credentials(self) -> bool:
        """Whether there are any to ask with."""
        return bool(self.secrets.credentials or self.secrets.places)

    async def commit_text(self, text: str) -> dict[str, Any]:
        """Have a notary sign that this text existed, and when. Only its SHA-256 is sent.

        Returns the proof. Keep it together with the text, exactly as it is: a changed space makes
        it worthless.
        """
        try:
            data = text.encode()
        except UnicodeEncodeError as error:
            raise MalformedError("the text has half a character in it") from error
        committed = await self._commit(hashlib.sha256(data).digest())
        return {**_summary(committed), "proof": committed.read.document}

    async def commit_file(self, path: str) -> dict[str, Any]:
        """Have a notary sign that a file existed, and when. Only its SHA-256 is sent.

        Writes the proof beside it, as PATH.proof.json, and returns where. The path is relative to
        the server's folder.
        """
        file = self._inside(path)
        beside = proof_place(file)
        if beside.exists():
            raise ProofThereError
        digest = await asyncio.to_thread(digest_of, file)
        committed = await self._commit(digest)
        write_whole(beside, committed.proof)
        return {**_summary(committed), "proof_path": str(beside.relative_to(self._root()))}

    async def verify_proof(
        self,
        proof_path: str | None = None,
        proof: dict[str, Any] | None = None,
        path: str | None = None,
        text: str | None = None,
    ) -> dict[str, Any]:
        """Judge a notary's proof offline: what it shows, layer by layer, and what it does not.

        Give the proof as a file or as it is, and what it is about as a file or as text.
        """
        if (proof_path is None) == (proof is None) or (path is not None and text is not None):
            raise MalformedError("give one proof, and at most one thing that it is about")
        document = self._proof(proof_path) if proof_path is not None else _plain(proof)
        artifact = None
        if path is not None:
            artifact = await asyncio.to_thread(digest_of, self._inside(path))
        elif text is not None:
            artifact = hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
        verdict = judge_proof(document, at=now(), policy=self.notary_policy, artifact=artifact)
        return {"holds": verdict.accepted, **_shown(verdict)}

    async def ask_question(
        self, endpoint: str, predicate: dict[str, Any], provider: str | None = None
    ) -> dict[str, Any]:
        """Ask a yes-or-no question about private data, and get a verified answer.

        The data stays where it is: only the answer comes out, with evidence and a zero-knowledge
        proof. endpoint is balance, income, employment, education, credit or transactions; predicate
        is for example {"type": "gte", "threshold": 10000}. Whose data it is about, the operator
        decided. Writes the receipt into the server's folder and returns where.
        """
        if self.policy is None:
            raise NotConfiguredError(what="a policy for workers: --policy")
        if not self.has_credentials:
            raise NotConfiguredError(what="credentials: --token-file")
        asked = as_object(
            strict_loads(json.dumps(predicate).encode(), limit_bytes=_MAX_PREDICATE), "predicate"
        )
        async with AsyncClient(
            self.url, api_key=self.api_key, policy=self.policy, ca_file=self.ca_file
        ) as client:
            try:
                answer = await client.ask(
                    endpoint,
                    asked,
                    provider=provider,
                    credentials=self.secrets.credentials,
                    secrets=self.secrets.places,
                    **self.secrets.marks,
                )
            except ValueError as error:
                raise MalformedError(
                    "there is no such endpoint, or a secret has no place"
                ) from error
        question = answer.receipt.statement.question
        name = f"{question.endpoint.value}-{_file_name(question.nonce)}.receipt.json"
        file = self._root() / name
        write_whole(file, canonical(answer.receipt.to_json()))
        return {"answer": answer.answer, "receipt_path": name, **_shown(answer.verdict)}

    async def _commit(self, digest: bytes) -> Committed:
        if not self.api_key:
            raise NotConfiguredError(what="an API key: --api-key-file, or ADYTON_API_KEY")
        transport = AsyncTransport(
            self.url, api_key=self.api_key, ca_file=self.ca_file, transport=None
        )
        try:
            (committed,) = await transport.run(commit([digest], policy=self.notary_policy))
        finally:
            await transport.close()
        return committed

    def _proof(self, path: str) -> Value:
        document = find_proof(self._inside(path))
        if document is None:
            raise MalformedError("the file is no notary's proof")
        return document

    def _inside(self, path: str) -> Path:
        """Return the file that ``path`` names, links followed, if it is in the folder."""
        if "\0" in path:
            raise FileOutsideError
        root = self._root()
        file = Path(os.path.realpath(root / path))
        if not file.is_relative_to(root) or not file.is_file():
            # The same for both: nobody learns which files there are elsewhere.
            raise FileOutsideError
        return file

    def _root(self) -> Path:
        return Path(os.path.realpath(self.folder))


def _plain(proof: dict[str, Any] | None) -> Value:
    # Through text, as a file would be: so it has the same limits.
    return loads(json.dumps(proof).encode(), limit_bytes=MAX_PROOF_BYTES)


def _file_name(nonce: str) -> str:
    return nonce[:_SHOWN_NONCE] if _NAME.fullmatch(nonce[:_SHOWN_NONCE]) else "receipt"


def _summary(committed: Committed) -> dict[str, Any]:
    return {
        "counter": committed.counter,
        "digest_b64": committed.read.digest_text,
        "time_ms": committed.read.time,
    }


def _shown(verdict: Verdict) -> dict[str, Any]:
    return {"verdict": verdict.to_json()}
