"""``adyton policy``: a policy to start from, and whether one says what its author means."""

import os
from pathlib import Path
from typing import Final

from rich.text import Text

from adyton.adapters.platforms import PlatformName
from adyton.appraisal.policy import Choice, Policy
from adyton.cli.development import development_policy, write_whole
from adyton.cli.exits import YES
from adyton.cli.predicates import OptionMalformedError
from adyton.cli.terminal import console, notes, plain, print_json, table
from adyton.sdk.verifying import read_policy
from adyton.worker.settings import WorkerSettings

__all__ = ["run_check", "run_init"]

# What has to be filled in is not valid on purpose: a template accepts nothing.
_NITRO: Final = """\
# What you accept of a worker in an AWS Nitro enclave. Fill in the FILL-IN parts: until then this
# file is refused by every reader, because a template must not accept anything.
version: adyton/policy/v1

# The roots that evidence may be signed under. aws-nitro is pinned in this program.
roots:
  aws-nitro: built-in

platforms:
  nitro:
    # An enclave in debug mode can be read from outside: its PCRs are all zero.
    debug: refused
    # Nitro's documents have no firmware versions to compare.
    tcb: not-required
    # Which images you accept: build the image yourself and take the PCRs of your own build.
    # PCR0 is the image, PCR1 kernel and boot, PCR2 the application. Several releases may be named.
    measurements:
      release-0.1.0:
        pcr0: "FILL-IN: 96 hexadecimal digits"
        pcr1: "FILL-IN: 96 hexadecimal digits"
        pcr2: "FILL-IN: 96 hexadecimal digits"

evidence:
  # How old evidence may be at the moment that it speaks for (of a receipt: when it was given).
  maximum_age_seconds: 900
  # required: count only evidence over a challenge that the verifier itself sent.
  challenge: not-required

receipt:
  # Whom a receipt must be for: a list of names, or not-required.
  audience: not-required
  # How old a receipt may be: seconds, or not-required.
  maximum_age_seconds: 86400
  # required: a receipt counts for the nonce that the verifier chose, and for no other.
  nonce: required
  # built-in: the verification keys that came with this program; or SHA-256 by circuit:
  #   balance_threshold: ["0123..."]          (adyton circuits lists them)
  circuits: built-in
  # any; or SHA-256 of each definition that you have read, by provider:
  #   plaid-balance: ["0123..."]              (adyton providers show ID)
  providers: any
  # Certificate authorities beside the image's that the worker may trust for data sources, as
  # SHA-256. Whoever has the key of one can play any provider: leave it empty.
  added_roots: []
  # request: raw data lived in processes that ended with the request. pooled: they were used again.
  isolation: [request]

# Receipts for delegated proofs; leave the section out to accept none.
proving:
  audience: not-required
  maximum_age_seconds: 86400
  nonce: required
  # any; or SHA-256 of the programs that may have been proven.
  circuits: any
  # any; or SHA-256 of the prover's program, which sees the witness (adyton doctor shows yours).
  provers: any
"""


def run_init(*, platform: str, out: Path, force: bool) -> int:
    """Write a policy to ``out``."""
    if platform not in set(PlatformName):
        raise OptionMalformedError(f"--platform is one of {', '.join(PlatformName)}")
    if out.exists() and not force:
        raise OptionMalformedError(f"{out} is there already; --force replaces it")
    if platform == PlatformName.INSECURE:
        settings = WorkerSettings.from_environ(os.environ)
        text = development_policy(settings.state, added_roots=settings.added_roots)
        write_whole(out, text)
        warning = Text("warning: ", style="bold yellow")
        notes().print(
            warning.append("this policy accepts a DEVELOPMENT root: nothing vouches for hardware")
        )
    else:
        write_whole(out, _NITRO)
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
        rows.append((f"platform {platform.value}", f"{images}; debug mode {accepted.debug.value}"))
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


def _names(value: object) -> str:
    match value:
        case Choice():
            return value.value.replace("-", " ")
        case _:
            return ", ".join(sorted(value))  # type: ignore[call-overload]  # names, however held
