"""``adyton policy``: a policy to start from, and whether one says what its author means."""

import os
import shlex
from dataclasses import fields
from datetime import timedelta
from pathlib import Path
from typing import Final

from rich.text import Text

from adyton.appraisal.policy import (
    MAX_POLICY_BYTES,
    Choice,
    EvidencePolicy,
    PlatformPolicy,
    Policy,
    ReceiptPolicy,
)
from adyton.cli.development import development_policy, write_whole
from adyton.cli.exits import YES
from adyton.cli.policy_templates import TEMPLATES
from adyton.cli.predicates import OptionMalformedError
from adyton.cli.terminal import console, notes, plain, print_json, table
from adyton.codec import yaml
from adyton.codec.json import Json
from adyton.model.claims import Platform
from adyton.sdk.files import from_file
from adyton.sdk.verifying import read_policy
from adyton.verification.notary_policy import VERSION as NOTARY_VERSION
from adyton.verification.notary_policy import NotaryPolicy
from adyton.worker.settings import WorkerSettings

__all__ = ["run_check", "run_init"]


def run_init(*, platform: str, out: Path, force: bool) -> int:
    """Write a policy to ``out``."""
    known = (Platform.INSECURE.value, *TEMPLATES)
    if platform not in known:
        raise OptionMalformedError(f"--platform is one of {', '.join(known)}")
    if out.exists() and not force:
        raise OptionMalformedError(f"{out} is there already; --force replaces it")
    if platform == Platform.INSECURE:
        settings = WorkerSettings.from_environ(os.environ)
        text = development_policy(settings.state, added_roots=settings.added_roots)
        write_whole(out, text)
        warning = Text("warning: ", style="bold yellow")
        notes().print(
            warning.append("this policy accepts a DEVELOPMENT root: nothing vouches for hardware")
        )
    else:
        write_whole(out, TEMPLATES[platform])
        command = shlex.join(["adyton", "policy", "check", str(out)])
        notes().print(plain(f"fill in what says FILL-IN, then: {command}"), soft_wrap=True)
    console().print(plain(f"wrote {out}"))
    return YES


def run_check(file: Path, *, as_json: bool) -> int:
    """Print what a policy accepts, in words or as the JSON that reads as the same policy.

    A notary's policy says by its version that it is one.
    """
    document = from_file(file, _document, MAX_POLICY_BYTES)
    if isinstance(document, dict) and document.get("version") == NOTARY_VERSION:
        # What it says, it says itself: reading it has checked that it does.
        rows, record = _notarized(NotaryPolicy.from_json(document)), document
    else:
        policy = read_policy(file)
        rows, record = _said(policy), policy.to_json()
    if as_json:
        print_json(record)
        return YES
    made = table("", "")
    made.show_header = False
    for name, value in rows:
        made.add_row(Text(name, style="dim"), plain(value))
    console().print(made)
    return YES


def _document(data: bytes) -> Json:
    return yaml.loads(data, limit_bytes=MAX_POLICY_BYTES)


def _notarized(policy: NotaryPolicy) -> list[tuple[str, str]]:
    """Return what a notary's policy accepts, in words."""
    signer, log = policy.signer, policy.log
    wishes = {item.name: getattr(signer, item.name) for item in fields(signer)}
    rows = [
        (name.replace("_", " "), _wish(value)) for name, value in wishes.items() if _is_one(value)
    ]
    if not rows:
        rows = [("signer", "anybody")]
    rows += [
        ("artifact", _spaced(policy.artifact)),
        ("predecessor", _spaced(policy.predecessor)),
        ("log", f"inclusion {_spaced(log.inclusion)}, time stamp {_spaced(log.timestamp)}"),
        ("log keys", f"{len(log.keys)} beside the proof's own"),
        ("authorities", f"{len(log.authorities)}"),
    ]
    if isinstance(policy.evidence, Choice):
        return [*rows, ("evidence", _spaced(policy.evidence))]
    return [*rows, *_said_of_evidence(policy.evidence)]


def _is_one(wish: object) -> bool:
    return wish is not None and wish is not False and wish != frozenset()


def _wish(value: object) -> str:
    match value:
        case True:
            return "yes"
        case frozenset():
            return ", ".join(sorted(value))
        case _:
            return str(value)


def _said(policy: Policy) -> list[tuple[str, str]]:
    return [*_said_of_evidence(policy), *_receipts(policy.receipt), *_proofs(policy)]


def _said_of_evidence(policy: Policy) -> list[tuple[str, str]]:
    rows = [("root", f"{root.value}, built in") for root in sorted(policy.vendor_roots)]
    rows += [("root", f"{name!r}\n{digest.hex()}") for name, digest in policy.named_roots.items()]
    rows += [
        ("platform", f"{platform.value}: {_accepted(accepted)}")
        for platform, accepted in policy.platforms.items()
    ]
    return [*rows, *_evidence(policy.evidence)]


def _accepted(platform: PlatformPolicy) -> str:
    references = platform.references
    images = (
        "whatever code runs"
        if isinstance(references, Choice)
        else "images " + ", ".join(reference.name for reference in references)
    )
    said = [images, f"debug mode {platform.debug.value}", _firmware(platform)]
    if platform.findings:
        said.append(f"although {' or '.join(sorted(platform.findings))}")
    if platform.expression is not None:
        said.append(f"only if {platform.expression.text}")
    return "; ".join(said)


def _evidence(evidence: EvidencePolicy) -> list[tuple[str, str]]:
    said = f"{_age(evidence.maximum_age)}, challenge {_spaced(evidence.challenge)}"
    binding = evidence.binding
    if isinstance(binding, Choice):
        return [("evidence", f"{said}, over anything")]
    named = [item.name for item in fields(binding) if getattr(binding, item.name) is not None]
    over = " and ".join(named).replace("_", " ")
    return [("evidence", f"{said}, over {over or 'what the verifier says'}")]


def _receipts(receipt: ReceiptPolicy | None) -> list[tuple[str, str]]:
    if receipt is None:
        return [("receipts", "none are accepted")]
    return [
        ("receipts", f"{_age(receipt.maximum_age)}, nonce {_spaced(receipt.nonce)}"),
        ("audience", _names(receipt.audience)),
        ("circuits", _names(receipt.circuits)),
        ("providers", _names(receipt.providers)),
        ("added roots", _digests(receipt.added_roots)),
        ("isolation", ", ".join(sorted(receipt.isolation))),
    ]


def _proofs(policy: Policy) -> list[tuple[str, str]]:
    if (proving := policy.proving) is None:
        return [("proofs", "no delegated ones are accepted")]
    return [
        ("proofs", f"delegated, {_age(proving.maximum_age)}, nonce {_spaced(proving.nonce)}"),
        ("their audience", _names(proving.audience)),
        ("their circuits", _digests(proving.circuits)),
        ("their provers", _digests(proving.provers)),
    ]


def _firmware(accepted: PlatformPolicy) -> str:
    tcb = accepted.tcb
    if isinstance(tcb, Choice):
        return "firmware of any age"
    parts = [] if isinstance(tcb.statuses, Choice) else [" or ".join(sorted(tcb.statuses))]
    parts += [f"{name} {minimum} or later" for name, minimum in tcb.minimum_versions.items()]
    parts.append(f"revocation {_spaced(tcb.revocation)}")
    return f"firmware {', '.join(parts)}"


def _age(limit: timedelta | Choice) -> str:
    return "of any age" if isinstance(limit, Choice) else f"at most {_long(limit)} old"


def _long(span: timedelta) -> str:
    """Return ``span`` in words: the days, hours, minutes and seconds in it."""
    found, left = [], int(span.total_seconds())
    for unit, seconds in _UNITS:
        count, left = divmod(left, seconds)
        if count:
            found.append(f"{count:,} {unit}{'s' if count > 1 else ''}")
    return " ".join(found) or "0 seconds"


_UNITS: Final = (("day", 86400), ("hour", 3600), ("minute", 60), ("second", 1))


def _digests(found: frozenset[bytes] | Choice) -> str:
    if isinstance(found, Choice):
        return _spaced(found)
    return ", ".join(digest.hex() for digest in sorted(found)) or "none"


def _spaced(choice: Choice) -> str:
    return choice.value.replace("-", " ")


def _names(value: object) -> str:
    match value:
        case Choice():
            return _spaced(value)
        case _:
            return ", ".join(sorted(value))  # type: ignore[call-overload]  # names, however held
