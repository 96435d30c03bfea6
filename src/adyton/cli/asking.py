"""``adyton ask``: judge the worker, seal, ask, verify, print."""

import shlex
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rich.text import Text

from adyton.cli.contact import check_url, policy_path, warn
from adyton.cli.credentials import Secrets, read_api_key, read_secrets
from adyton.cli.development import check_writable, write_whole
from adyton.cli.exits import NO, YES
from adyton.cli.predicates import OptionMalformedError, PredicateOptions, read_predicate
from adyton.cli.terminal import console, plain, print_json, progress
from adyton.cli.verdicts import answer_text, receipt_table, short_layers, times
from adyton.codec import yaml
from adyton.codec.json import Json, JsonObject, as_object, canonical, loads
from adyton.crypto.hpke import SealSuite
from adyton.model.question import DEFAULT_PROVIDERS, Endpoint
from adyton.sdk.asking import Answer
from adyton.sdk.client import Client
from adyton.sdk.files import FileUnreadableError
from adyton.sdk.transport import GatewayMalformedError
from adyton.sdk.verifying import read_policy
from adyton.sources.credentials import CredentialMalformedError

__all__ = ["Asking", "run_ask"]

_LIMIT: Final = 256 * 1024
_SHOWN_WORD: Final = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """Everything that the command line says about a question; paths are not read yet."""

    endpoint: str
    provider: str | None
    inline_provider: Path | None
    extraction: str | None
    predicate: PredicateOptions
    token_file: Path | None
    credentials: tuple[str, ...]
    months: int | None
    audience: str
    nonce: str | None
    url: str
    ca_file: Path | None
    api_key_file: Path | None
    policy: Path | None
    out: Path | None
    as_json: bool
    post_quantum: bool


def run_ask(asking: Asking) -> int:
    """Ask, print the answer, and return the exit code."""
    check_writable(asking.out)
    endpoint = _endpoint(asking.endpoint)
    predicate = read_predicate(endpoint, asking.predicate)
    provider, extra = _source(endpoint, asking)
    named = provider if isinstance(provider, str) else DEFAULT_PROVIDERS.get(endpoint)
    secrets = read_secrets(asking.token_file, asking.credentials, provider=named, warn=warn)
    policy = asking.policy or policy_path()
    check_url(asking.url)
    suite = SealSuite.MLKEM768_X25519 if asking.post_quantum else SealSuite.X25519
    with Client(
        asking.url,
        api_key=read_api_key(asking.api_key_file),
        policy=read_policy(policy),
        ca_file=asking.ca_file,
        suite=suite,
    ) as client:
        start = time.perf_counter()
        with progress(f"asking {asking.url}"):
            answer = _ask(
                client,
                asking,
                endpoint=endpoint,
                predicate=predicate,
                provider=provider,
                secrets=secrets,
                extra=extra,
            )
        total = (time.perf_counter() - start) * 1000
    if asking.out is not None:
        write_whole(asking.out, canonical(answer.receipt.to_json()))
    if asking.as_json:
        print_json(_as_json(answer, total))
    else:
        _show(answer, total, out=asking.out, policy=policy)
    return YES if answer.answer else NO


def _ask(
    client: Client,
    asking: Asking,
    *,
    endpoint: Endpoint,
    predicate: JsonObject,
    provider: str | JsonObject | None,
    secrets: Secrets,
    extra: Mapping[str, Json],
) -> Answer:
    try:
        return client.ask(
            endpoint,
            predicate,
            provider=provider,
            credentials=secrets.credentials,
            secrets=secrets.places,
            nonce=asking.nonce,
            audience=asking.audience,
            **{**extra, **secrets.marks},
        )
    except GatewayMalformedError as error:
        named = provider or DEFAULT_PROVIDERS.get(endpoint)
        if error.code == CredentialMalformedError.code and isinstance(named, str):
            error.add_note(f"the provider is {named}; see: adyton providers show {named}")
        raise
    except ValueError as error:
        # A mark without a secret, or a secret without its mark; the message names the places.
        raise OptionMalformedError(str(error)) from error


def _endpoint(name: str) -> Endpoint:
    try:
        return Endpoint(name)
    except ValueError as error:
        text = f"there is no question {name[:_SHOWN_WORD]!r}: it is one of {', '.join(Endpoint)}"
        raise OptionMalformedError(text) from error


def _source(endpoint: Endpoint, asking: Asking) -> tuple[str | JsonObject | None, JsonObject]:
    """Return the provider, and the fields that come with it."""
    extra: JsonObject = {}
    if asking.months is not None:
        extra["months"] = asking.months
    inline = asking.inline_provider
    if endpoint is not Endpoint.CUSTOM and (inline or asking.extraction):
        raise OptionMalformedError("--extraction and --inline-provider are for: adyton ask custom")
    if inline is not None and asking.provider is not None:
        raise OptionMalformedError("give one of --provider and --inline-provider")
    if asking.extraction is not None:
        key = "extraction" if inline is None else "response_extraction"
        extra[key] = _object(asking.extraction)
    if inline is not None:
        value = yaml.loads(_file(inline), limit_bytes=_LIMIT)
        return as_object(value, str(inline)), extra
    return asking.provider, extra


def _object(text: str) -> JsonObject:
    data = _file(Path(text[1:])) if text.startswith("@") else text.encode()
    return as_object(loads(data, limit_bytes=_LIMIT), "--extraction")


def _file(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise FileUnreadableError(path=path, reason=reason) from error


def _as_json(answer: Answer, total: float) -> Mapping[str, object]:
    timings = {**answer.timings, "total": total}
    return {
        "answer": answer.answer,
        "nonce": answer.receipt.statement.question.nonce,
        "timings_ms": {name: round(ms, 3) for name, ms in timings.items()},
        "verdict": answer.verdict.to_json(),
        "receipt": answer.receipt.to_json(),
    }


def _show(answer: Answer, total: float, *, out: Path | None, policy: Path) -> None:
    shown = console()
    facts = receipt_table(answer.receipt)
    shown.print(Text("answer    ", style="dim"), answer_text(answer.answer), sep="")
    shown.print(facts)
    shown.print()
    shown.print(short_layers(answer.verdict))
    shown.print()
    shown.print(plain(f"{times(answer.timings)}   total {total:.0f} ms", "dim"))
    if out is None:
        shown.print(Text("the receipt was not kept; --out FILE keeps it", style="dim"))
        return
    nonce = answer.receipt.statement.question.nonce
    shown.print(plain(f"kept in {out}; verify it again, offline, with"))
    # With "=": a random nonce may begin with a dash.
    command = shlex.join(["adyton", "verify", str(out), f"--policy={policy}", f"--nonce={nonce}"])
    shown.print(plain(f"  {command}"), soft_wrap=True)
