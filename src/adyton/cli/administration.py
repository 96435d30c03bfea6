"""``adyton keys`` and ``adyton audit``: what an operator does with the store, printed."""

import asyncio
import os
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from rich.text import Text

from adyton.adapters.store.administration import create_key, list_audit, list_keys, revoke_key
from adyton.adapters.store.records import ApiKey, AuditEntry, KeyLimits, Scope
from adyton.cli.development import check_writable, write_whole
from adyton.cli.exits import NO, YES
from adyton.cli.predicates import OptionMalformedError
from adyton.cli.terminal import WIDTH, console, notes, plain, print_json, table
from adyton.codec.json import JsonObject
from adyton.gateway.settings import GatewaySettings

__all__ = ["run_audit", "run_create", "run_list", "run_revoke"]


def run_create(
    name: str,
    *,
    scopes: list[str],
    days: int | None,
    limits: KeyLimits,
    out: Path | None,
    as_json: bool,
) -> int:
    """Make a key and print it, once, or write it to ``out``, for its owner only."""
    if out is not None and out.exists():
        text = f"{out} is there already, perhaps with a key: remove it, or name another with --out"
        raise OptionMalformedError(text)
    check_writable(out)
    try:
        # What is the operator's alone is given by name only.
        usual = [scope for scope in Scope if scope is not Scope.OPERATE]
        chosen = [Scope(scope) for scope in scopes] or usual
    except ValueError as error:
        raise OptionMalformedError(f"a scope is one of {', '.join(Scope)}") from error
    made = asyncio.run(
        create_key(
            _database(),
            name=name,
            scopes=chosen,
            now=datetime.now(UTC),
            lifetime=None if days is None else timedelta(days=days),
            limits=limits,
        )
    )
    if out is not None:
        write_whole(out, made.text + "\n")
    if as_json:
        shown = {} if out is not None else {"key": made.text}
        print_json({**_key_json(made.key), **shown})
        return YES
    told = f"key {made.key.id} for {name}, scopes {_scopes(made.key)}"
    if out is not None:
        notes().print(plain(f"{told}, is in {out}; what is stored is a digest of it"))
        return YES
    notes().print(plain(f"{told}; it is shown once, what is stored is a digest of it:"))
    # Alone on stdout, for programs that read it from there.
    sys.stdout.write(made.text + "\n")
    return YES


def run_list(*, as_json: bool) -> int:
    """Print every key, without what opens anything."""
    keys = asyncio.run(list_keys(_database()))
    if as_json:
        print_json({"keys": [_key_json(key) for key in keys]})
        return YES
    if not keys:
        notes().print(plain("there are no keys; make one with: adyton keys create --name NAME"))
        return YES
    made = table("id", "state", "created", "expires", "name", "scopes")
    made.columns[-2].no_wrap = False
    now = datetime.now(UTC)
    for key in keys:
        state = _state(key, now)
        made.add_row(
            Text(key.id),
            Text(state, style="green" if state == "usable" else "red"),
            Text(_day(key.created)),
            Text(_day(key.expires)),
            plain(key.name),
            Text(_scopes(key).replace(",", ", ")),
        )
    console().print(made)
    return YES


def run_revoke(key_id: str) -> int:
    """Revoke a key; 1 where there is none to revoke."""
    if asyncio.run(revoke_key(_database(), key_id, now=datetime.now(UTC))):
        console().print(plain(f"{key_id} is revoked; a running gateway forgets it in seconds"))
        return YES
    notes().print(plain(f"there is no usable key {key_id}; see: adyton keys list"))
    return NO


def run_audit(*, limit: int, key_id: str | None, as_json: bool) -> int:
    """Print the newest questions: who, when, what came of it; of the data, there is nothing."""
    entries = asyncio.run(list_audit(_database(), limit=limit, key_id=key_id))
    if as_json:
        print_json({"entries": [_entry_json(entry) for entry in entries]})
        return YES
    if not entries:
        notes().print(plain("nobody has asked anything yet"))
        return YES
    out = console()
    # Where there is no room for them, --json has them.
    ids = ("key", "request") if out.width >= WIDTH else ()
    made = table("time (UTC)", "endpoint", "answer", "ms", *ids, "provider")
    for entry in entries:
        shown_ids = (plain(entry.key_id[:8]), plain(entry.id[:8])) if ids else ()
        made.add_row(
            Text(f"{entry.time.astimezone(UTC):%m-%d %H:%M:%S}"),
            Text(entry.endpoint),
            plain(_outcome(entry), "" if not entry.code else "red"),
            Text(f"{entry.timings['cell']:.0f}" if "cell" in entry.timings else ""),
            *shown_ids,
            plain(entry.provider),
        )
    out.print(made)
    return YES


def _outcome(entry: AuditEntry) -> str:
    if entry.code:
        return entry.code
    # What was proven for somebody else is no answer, and nothing went wrong.
    return "proven" if entry.answer is None else str(entry.answer).lower()


def _database() -> str:
    settings = GatewaySettings.from_environ(os.environ)
    settings.state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    return settings.database_url


def _state(key: ApiKey, now: datetime) -> str:
    if key.revoked is not None:
        return "revoked"
    return "usable" if key.is_usable(now) else "expired"


def _scopes(key: ApiKey) -> str:
    return ",".join(sorted(key.scopes))


def _day(instant: datetime | None) -> str:
    return f"{instant:%Y-%m-%d}" if instant else "never"


def _instant(instant: datetime | None) -> str | None:
    if instant is None:
        return None
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _key_json(key: ApiKey) -> JsonObject:
    return {
        "id": key.id,
        "name": key.name,
        "scopes": [*sorted(key.scopes)],
        "created": _instant(key.created),
        "expires": _instant(key.expires),
        "revoked": _instant(key.revoked),
        "limits": {
            "per_minute": key.limits.per_minute,
            "in_flight": key.limits.in_flight,
            "per_day": key.limits.per_day,
        },
    }


def _entry_json(entry: AuditEntry) -> JsonObject:
    return {
        "id": entry.id,
        "time": _instant(entry.time),
        "key_id": entry.key_id,
        "endpoint": entry.endpoint,
        "status": entry.status,
        "code": entry.code,
        "provider": entry.provider,
        "provider_digest": entry.provider_digest,
        "circuit": entry.circuit,
        "answer": entry.answer,
        "public_inputs": entry.public_inputs,
        "proof": entry.proof,
        "public_inputs_digest": entry.public_inputs_digest,
        "statement": entry.statement,
        "transcript": entry.transcript,
        "manifest": entry.manifest,
        "timings_ms": {name: round(ms) for name, ms in entry.timings.items()},
    }
