"""``adyton evidence``: fields as a tree, a verdict with its reasons, and how long it will hold."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from rich.text import Text
from rich.tree import Tree

from adyton.adapters.attestation_results import unsigned_result
from adyton.appraisal.ear import issue_ear
from adyton.appraisal.freshness import Expected
from adyton.appraisal.policy import Policy
from adyton.cli.development import write_whole
from adyton.cli.exits import NO, YES
from adyton.cli.predicates import OptionMalformedError
from adyton.cli.terminal import console, notes, plain, print_json, table
from adyton.cli.verdicts import layer_table, print_reasons
from adyton.codec.json import Json, loads
from adyton.codec.text import from_hex
from adyton.crypto.ecdsa import Es256Key
from adyton.crypto.jws import TokenSigner
from adyton.errors import MalformedError
from adyton.evidence.collateral import MAX_COLLATERAL_VALUES, NO_COLLATERAL
from adyton.evidence.eventlog.layout import MAX_LOG_BYTES, EventLog
from adyton.evidence.layouts import unverified_fields
from adyton.model.claims import Claims
from adyton.model.verdict import Finding, Verdict, shown
from adyton.sdk.evidence import expectation, read_bundle, read_collateral, read_evidence
from adyton.sdk.files import from_file
from adyton.sdk.verifying import read_policy
from adyton.verification import bundle as bundles
from adyton.verification.bundle import Bundle, read_instant
from adyton.verification.explain import explain_identity
from adyton.verification.forecast import Forecast, Outlook, forecast
from adyton.verification.machine import MachineVerdict
from adyton.verification.machine_bundle import MAX_MACHINE_BYTES
from adyton.verification.machine_bundle import VERSION as MACHINE_VERSION

__all__ = [
    "Logs",
    "Options",
    "bundle_of",
    "check_alone",
    "check_signable",
    "print_judged",
    "print_outcome",
    "result_signer_in",
    "run_forecast",
    "run_show",
    "run_verify",
    "saved_version",
]

_DAY: Final = 86400
# Digits of a measurement: shorter zeros are a number.
_LONG: Final = 40
_OF_A_MACHINE: Final = (
    "this is the bundle of a machine with devices: adyton evidence verify judges it"
)
_MAX_KEY_BYTES: Final = 16 * 1024
_OTHERS_POLICY: Final = (
    "policy, expectation and instant are the bundle's: whoever made it chose what is accepted"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What was said on the command line about how to judge."""

    policy: Path | None
    collateral: Path | None
    report_data: str | None
    nonce: str | None
    public_key: str | None
    at: str | None

    def bundle(self, file: Path) -> Bundle:
        """Return the evidence in ``file`` with all that its verdict depends on."""
        if self.policy is None:
            raise OptionMalformedError("--policy is missing: without one, nothing is acceptable")
        return Bundle(
            evidence=read_evidence(file),
            collateral=NO_COLLATERAL
            if self.collateral is None
            else read_collateral(self.collateral),
            policy=read_policy(self.policy),
            expected=self._expected(),
            at=datetime.now(UTC) if self.at is None else read_instant(self.at, "--at"),
        )

    def _expected(self) -> Expected:
        return expectation(
            report_data=_bytes(self.report_data, "--report-data"),
            nonce=_bytes(self.nonce, "--nonce"),
            public_key=_bytes(self.public_key, "--public-key"),
        )

    @property
    def is_empty(self) -> bool:
        """Whether nothing was said, which is all that a bundle leaves to say."""
        return all(
            item is None
            for item in (
                self.policy,
                self.collateral,
                self.report_data,
                self.nonce,
                self.public_key,
                self.at,
            )
        )


def run_show(file: Path, *, as_json: bool) -> int:
    """Print every field of the evidence in ``file``, or of the evidence in a bundle."""
    found = unverified_fields(_shown_evidence(file))
    if as_json:
        print_json(found)
        return YES
    notes().print(plain("as its bytes have it: nothing of this is verified", "dim"))
    tree = Tree(plain(found.pop("format"), "bold"), guide_style="dim")
    for name, value in found.items():
        _grow(tree, name, value)
    console().print(tree)
    return YES


def _shown_evidence(file: Path) -> bytes:
    match saved_version(file):
        case None:
            return read_evidence(file)
        case bundles.VERSION:
            notes().print(
                plain("the evidence in a bundle; adyton evidence verify judges it", "dim")
            )
            return read_bundle(file).evidence
        case _:
            raise OptionMalformedError(_OF_A_MACHINE)


def _grow(tree: Tree, name: str, value: Json) -> None:
    label = plain(name, "cyan")
    match value:
        case dict():
            branch = tree.add(label)
            for key, item in value.items():
                _grow(branch, key, item)
        case list():
            branch = tree.add(label)
            for index, item in enumerate(value):
                _grow(branch, str(index), item)
        case _:
            tree.add(label.append(" ").append_text(plain(_leaf(value), "")))


def _leaf(value: Json) -> Json:
    if isinstance(value, str) and len(value) >= _LONG and not value.strip("0"):
        return f"{len(value) // 2} zero bytes"
    return "none" if value is None else value


@dataclass(frozen=True, slots=True, kw_only=True)
class Logs:
    """Event logs that explain a measurement: the platform's, and that of an accepted one."""

    event_log: Path | None
    reference: Path | None

    def explain(self, claims: Claims | None, policy: Policy) -> tuple[Finding, ...]:
        """Return what the logs say about the measurements in which ``claims`` differ."""
        if claims is None or self.event_log is None:
            return ()
        reference = None if self.reference is None else _log(self.reference)
        return explain_identity(
            claims, policy=policy, log=_log(self.event_log), reference=reference
        )


def _log(path: Path) -> EventLog:
    return from_file(path, EventLog.from_bytes, MAX_LOG_BYTES)


def run_verify(
    file: Path,
    options: Options,
    *,
    logs: Logs,
    save: Path | None,
    ear_key: Path | None,
    as_json: bool,
) -> int:
    """Print the verdict on the evidence in ``file``, or on the bundle in it."""
    check_signable(file, ear_key=ear_key)
    bundle = bundle_of(file, options)
    verdict, claims = bundle.verify()
    ear = None
    if ear_key is not None:
        result = unsigned_result(verdict, claims, policy=bundle.policy, expected=bundle.expected)
        ear = issue_ear(result, signer=result_signer_in(ear_key))
    explained = () if verdict.accepted else logs.explain(claims, bundle.policy)
    if save is not None:
        write_whole(save, bundle.to_bytes())
        notes().print(plain(f"wrote {save}: adyton evidence verify {save} repeats this verdict"))
    if as_json:
        said = None if claims is None else claims.to_json()
        why = [finding.to_json() for finding in explained]
        signed = {} if ear is None else {"ear": ear}
        print_json({**verdict.to_json(), "claims": said, "explanation": why, **signed})
    else:
        print_judged(verdict, claims)
        print_outcome("evidence", verdict)
        for finding in explained:
            console().print(Text("  why: ", style="yellow").append_text(plain(finding.message)))
        if ear is not None:
            console().print(plain(ear), soft_wrap=True)
    return YES if verdict.accepted else NO


def check_signable(file: Path, *, ear_key: Path | None) -> None:
    """Raise ``OptionMalformedError`` where a result on the bundle in ``file`` is to be signed."""
    if ear_key is not None and saved_version(file) is not None:
        # Whoever believes the key believes the policy that its holder judges by.
        raise OptionMalformedError(
            "--ear-key is not for a bundle: whoever made it chose its policy"
        )


def result_signer_in(path: Path) -> TokenSigner:
    """Return what signs attestation results with the key in a file."""
    return TokenSigner(from_file(path, Es256Key.from_pem, _MAX_KEY_BYTES))


def bundle_of(file: Path, options: Options) -> Bundle:
    """Return the bundle in ``file``, or the evidence in it with what the options say."""
    return _saved(file, options) or options.bundle(file)


def _saved(file: Path, options: Options) -> Bundle | None:
    """Return the bundle in ``file``; ``None`` where it is evidence."""
    if saved_version(file) != bundles.VERSION:
        return None
    check_alone(options)
    return read_bundle(file)


def check_alone(options: Options) -> None:
    """Say whose policy a bundle has; raise ``OptionMalformedError`` where ours are told as well."""
    if not options.is_empty:
        # Half of a bundle and half of the command line would be a verdict on neither.
        raise OptionMalformedError("a bundle has its own policy, instant and all else")
    notes().print(plain(_OTHERS_POLICY, "yellow"))


def saved_version(file: Path) -> str | None:
    """Return which kind of bundle is in ``file``; ``None`` where it is evidence."""
    with file.open("rb") as opened:
        data = opened.read(MAX_MACHINE_BYTES + 1)
    if not data.startswith(b"{"):
        return None
    try:
        record = loads(data, limit_bytes=MAX_MACHINE_BYTES, limit_values=MAX_COLLATERAL_VALUES)
    except MalformedError:
        return None
    version = record.get("version") if isinstance(record, dict) else None
    return next((each for each in (bundles.VERSION, MACHINE_VERSION) if each == version), None)


def print_judged(verdict: Verdict, claims: Claims | None) -> None:
    """Print what one piece of evidence says, and its verdict by parts."""
    out = console()
    if claims is not None:
        out.print(_claims_table(claims))
        out.print()
    out.print(layer_table(verdict))


def print_outcome(what: str, verdict: Verdict | MachineVerdict) -> None:
    """Print whether ``what`` is acceptable, and the reasons why not."""
    word, style = ("is", "bold green") if verdict.accepted else ("is not", "bold red")
    line = Text(f"the {what} {word} acceptable", style=style)
    console().print(Text.assemble(line, f" at {shown(verdict.at)}"))
    print_reasons(console(), verdict)


def _claims_table(claims: Claims) -> object:
    rows = [
        ("technology", claims.technology.value),
        ("platform", claims.platform.value),
        ("root", f"{claims.root}, {claims.root_sha256.hex()[:16]}…"),
        ("instance", claims.instance),
        *((name, _hex(value)) for name, value in claims.measurements.items()),
        ("report data", _hex(claims.report_data)),
        ("nonce", _hex(claims.nonce)),
    ]
    if claims.tcb is not None and claims.tcb.status is not None:
        rows.append(("status", claims.tcb.status))
    made = table("", "")
    made.show_header = False
    for name, value in rows:
        made.add_row(Text(name, style="dim"), plain(value))
    return made


def _hex(value: bytes | None) -> str:
    if value is None:
        return "none"
    return value.hex() if any(value) else f"{len(value)} zero bytes"


def run_forecast(file: Path, options: Options, *, newer: list[Path], as_json: bool) -> int:
    """Print how long the evidence in ``file`` will be acceptable."""
    bundle = _forecastable(file, options)
    seen = forecast(
        bundle.evidence,
        policy=bundle.policy,
        expected=bundle.expected,
        at=bundle.at,
        collateral=bundle.collateral,
        newer=[read_collateral(path) for path in newer],
    )
    if as_json:
        print_json(seen.to_json())
    else:
        _show_forecast(seen)
    return YES if seen.now.verdict.accepted else NO


def _forecastable(file: Path, options: Options) -> Bundle:
    """Return what a forecast is about; raise ``MalformedError`` for what has no verdict at all."""
    if saved_version(file) == MACHINE_VERSION:
        raise OptionMalformedError(_OF_A_MACHINE)
    bundle = bundle_of(file, options)
    unverified_fields(bundle.evidence)
    return bundle


def _show_forecast(seen: Forecast) -> None:
    out = console()
    made = table("", "", "")
    made.show_header = False
    for name, outlook in (("today", seen.now), *(("then", outlook) for outlook in seen.newer)):
        made.add_row(Text(name, style="bold"), _word(outlook), plain(_reason(outlook)))
    out.print(made)
    for outlook in (seen.now, *seen.newer):
        for short in outlook.shortfalls:
            out.print(Text("  short  ", style="yellow").append_text(plain(short.message)))
    out.print()
    ends = table("ends", "in days", "what")
    for end in seen.ends:
        days = int((end.last - seen.at).total_seconds()) // _DAY
        ends.add_row(shown(end.last), Text(f"{days:,}", justify="right"), plain(end.what))
    out.print(ends)
    if seen.until is not None:
        out.print(Text(f"acceptable until {shown(seen.until)}, if nothing is renewed", "bold"))


def _word(outlook: Outlook) -> Text:
    if outlook.verdict.accepted:
        return Text("acceptable", style="green")
    return Text("not acceptable", style="bold red")


def _reason(outlook: Outlook) -> str:
    number = outlook.evaluation_number
    under = f"evaluation {number}: " if number is not None else ""
    reasons = "; ".join(finding.message for finding in outlook.verdict.reasons)
    return f"{under}{reasons or outlook.status or 'nothing speaks against it'}"


def _bytes(text: str | None, name: str) -> bytes | None:
    return None if text is None else from_hex(text.lower(), name, size=len(text) // 2)
