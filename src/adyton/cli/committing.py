"""``adyton commit``: hash here, send digests, verify what comes back, write it beside the file."""

from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from rich.text import Text

from adyton.cli.contact import check_url
from adyton.cli.credentials import read_api_key
from adyton.cli.development import write_whole
from adyton.cli.exits import YES
from adyton.cli.predicates import OptionMalformedError
from adyton.cli.proofs import digest_with_bar, given_at, proof_place
from adyton.cli.terminal import console, plain, print_json, progress, table
from adyton.codec.javascript import ValueObject, loads
from adyton.codec.text import to_base64
from adyton.sdk.committing import MOST_DIGESTS, Committed, commit
from adyton.sdk.proofs import read_notary_policy
from adyton.sdk.transport import Transport
from adyton.verification.notary_policy import OPEN

__all__ = ["Committing", "run_commit"]

_MAX_METADATA = 64 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Committing:
    """Everything that the command line says about a commit; nothing is read yet."""

    files: tuple[Path, ...]
    url: str
    ca_file: Path | None
    api_key_file: Path | None
    policy: Path | None
    metadata: str | None
    fresh: bool
    force: bool
    as_json: bool


def run_commit(asked: Committing) -> int:
    """Commit, write the proofs, print where they are, and return the exit code."""
    check_url(asked.url)
    _check_files(asked)
    policy = OPEN if asked.policy is None else read_notary_policy(asked.policy)
    metadata = None if asked.metadata is None else _metadata(asked.metadata)
    transport = Transport(
        asked.url,
        api_key=read_api_key(asked.api_key_file),
        ca_file=asked.ca_file,
        transport=None,
    )
    written: list[tuple[Path, Path, Committed]] = []
    try:
        files = iter(asked.files)
        while group := list(islice(files, MOST_DIGESTS)):
            digests = [digest_with_bar(file) for file in group]
            conversation = commit(digests, policy=policy, metadata=metadata, fresh=asked.fresh)
            with progress(f"committing to {asked.url}"):
                proofs = transport.run(conversation)
            for file, proof in zip(group, proofs, strict=True):
                write_whole(proof_place(file), proof.proof)
                written.append((file, proof_place(file), proof))
    finally:
        transport.close()
    _show(written, as_json=asked.as_json)
    return YES


def _check_files(asked: Committing) -> None:
    if len({file.resolve() for file in asked.files}) != len(asked.files):
        raise OptionMalformedError("a file is named twice")
    there = [proof_place(file) for file in asked.files if proof_place(file).exists()]
    # The older proof is the better one: it says that the file existed earlier.
    if there and not asked.force:
        raise OptionMalformedError(f"{there[0]} is there already; --force replaces it")


def _metadata(text: str) -> ValueObject:
    value = loads(text.encode(), limit_bytes=_MAX_METADATA)
    if not isinstance(value, dict):
        raise OptionMalformedError("--metadata is not a JSON object")
    return value


def _show(written: list[tuple[Path, Path, Committed]], *, as_json: bool) -> None:
    if as_json:
        print_json(
            [
                {
                    "file": str(file),
                    "proof": str(beside),
                    "counter": proof.counter,
                    "digestB64": proof.read.digest_text,
                    "proofHashB64": to_base64(proof.proof_hash),
                }
                for file, beside, proof in written
            ]
        )
        return
    made = table("number", "time", "proof")
    for _, beside, proof in written:
        made.add_row(plain(proof.counter), given_at(proof.read.time), plain(beside))
    out = console()
    out.print(made)
    out.print(Text("verify one with: adyton verify FILE.proof.json --file FILE", style="dim"))
