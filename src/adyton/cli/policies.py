"""``adyton policy``: a policy to start from, and whether one says what its author means."""

import os
from pathlib import Path

from rich.text import Text

from adyton.appraisal.policy import Choice, PlatformPolicy, Policy
from adyton.cli.development import development_policy, write_whole
from adyton.cli.exits import YES
from adyton.cli.policy_templates import TEMPLATES
from adyton.cli.predicates import OptionMalformedError
from adyton.cli.terminal import console, notes, plain, print_json, table
from adyton.model.claims import Platform
from adyton.sdk.verifying import read_policy
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
        notes().print(plain("fill in what says FILL-IN, then: adyton policy check FILE"))
    console().print(plain(f"wrote {out}"))
    return YES


def run_check(file: Path, *, as_json: bool) -> int:
    """Print what a policy accepts, in words or as the JSON that reads as the same policy."""
    policy = read_policy(file)
    if as_json:
        print_json(policy.to_json())
        return YES
    made = table("", "")
    made.show_header = False
    for name, value in _said(policy):
        made.add_row(Text(name, style="dim"), plain(value))
    console().print(made)
    return YES


def _said(policy: Policy) -> list[tuple[str, str]]:
    rows = [("root", f"{root.value}, built in") for root in sorted(policy.vendor_roots)]
    rows += [(f"root {name!r}", digest.hex()) for name, digest in policy.named_roots.items()]
    for platform, accepted in policy.platforms.items():
        references = accepted.references
        images = (
            "whatever code runs"
            if isinstance(references, Choice)
            else "images " + ", ".join(reference.name for reference in references)
        )
        said = f"{images}; debug mode {accepted.debug.value}; {_firmware(accepted)}"
        rows.append((f"platform {platform.value}", said))
    rows.append(("evidence", f"at most {policy.evidence.maximum_age} old"))
    if (receipt := policy.receipt) is None:
        return [*rows, ("receipts", "none are accepted")]
    return [
        *rows,
        ("receipts", f"at most {receipt.maximum_age} old, nonce {receipt.nonce.value}"),
        ("audience", _names(receipt.audience)),
        ("circuits", _names(receipt.circuits)),
        ("providers", _names(receipt.providers)),
        ("added roots", ", ".join(digest.hex() for digest in receipt.added_roots) or "none"),
        ("isolation", ", ".join(sorted(receipt.isolation))),
    ]


def _firmware(accepted: PlatformPolicy) -> str:
    tcb = accepted.tcb
    if isinstance(tcb, Choice):
        return "firmware of any age"
    parts = [] if isinstance(tcb.statuses, Choice) else [" or ".join(sorted(tcb.statuses))]
    parts += [f"{name} {minimum} or later" for name, minimum in tcb.minimum_versions.items()]
    parts.append(f"revocation {tcb.revocation.value.replace('-', ' ')}")
    return f"firmware {', '.join(parts)}"


def _names(value: object) -> str:
    match value:
        case Choice():
            return value.value.replace("-", " ")
        case _:
            return ", ".join(sorted(value))  # type: ignore[call-overload]  # names, however held
