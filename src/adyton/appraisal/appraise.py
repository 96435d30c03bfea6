"""Authentic claims held against a policy: the evidence layer of a verdict, in five parts.

1. *authenticity*: the claims come from under a root that the policy accepts;
2. *tcb*: firmware versions and revocation, as far as the technology has them;
3. *configuration*: nobody can look inside, on a platform that the policy accepts;
4. *identity*: the measurements are those of a reference that the policy names;
5. *freshness*: the evidence is over what was expected, recent, and not from the future.

A pure function: it opens no file and asks no clock. That claims are authentic was settled by the
technology's ``authenticate``; ``refuse`` says in a verdict's words that it was not.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from adyton.appraisal.policy import Choice, PlatformPolicy, Policy, Reference
from adyton.errors import AdytonError
from adyton.model.claims import Claims, Platform
from adyton.model.verdict import EVIDENCE_PARTS, Finding, Layer, LayerName, Part, Status

__all__ = ["CLOCK_TOLERANCE", "Expected", "appraise", "refuse"]

# Clocks differ, and a caller's instant may have no fraction of a second where the evidence has one.
CLOCK_TOLERANCE: Final = timedelta(minutes=1)

_ESTABLISHES: Final = (
    "a genuine trusted execution environment of this vendor runs the code with these measurements,"
    " and holds the keys that the evidence is over"
)
_DOES_NOT_ESTABLISH: Final = (
    "that this code is good: build its image again and compare the measurements; nor that the"
    " hardware withstands whoever holds it in their hands"
)
_INSECURE_ESTABLISHES: Final = (
    "somebody with the key of a development root says that code with these measurements runs,"
    " and holds the keys that the evidence is over"
)
_INSECURE_DOES_NOT_ESTABLISH: Final = (
    "anything about hardware, or about the code that really runs: no vendor vouches for this root"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What evidence has to be over.

    ``report_data`` commits to the manifest and the challenge; ``public_key`` is the worker's, and
    ``challenge`` the one that comes with the evidence (empty where there is none). ``asked`` is the
    challenge that the verifier itself sent; ``None`` where it sent none.
    """

    report_data: bytes
    public_key: bytes
    challenge: bytes
    asked: bytes | None


def appraise(claims: Claims, *, policy: Policy, expected: Expected, at: datetime) -> Layer:
    """Return the evidence layer for authentic ``claims`` at the instant ``at``."""
    accepted = policy.platforms.get(claims.platform)
    return _layer(
        (
            _authenticity(claims, policy),
            _tcb(claims, accepted),
            _configuration(claims, accepted),
            _identity(claims, accepted),
            _freshness(claims, policy, expected, at),
        ),
        is_insecure=claims.platform is Platform.INSECURE,
    )


def refuse(error: AdytonError) -> Layer:
    """Return the evidence layer for evidence that is not authentic, for the reason in ``error``."""
    failed = Part(
        name=EVIDENCE_PARTS[0], status=Status.FAILED, findings=(Finding.from_error(error),)
    )
    unread = tuple(
        _not_evaluated(name, "not-authentic", "the evidence is not authentic, so it says nothing")
        for name in EVIDENCE_PARTS[1:]
    )
    return _layer((failed, *unread), is_insecure=False)


def _layer(parts: tuple[Part, ...], *, is_insecure: bool) -> Layer:
    return Layer(
        name=LayerName.EVIDENCE,
        parts=parts,
        establishes=_INSECURE_ESTABLISHES if is_insecure else _ESTABLISHES,
        does_not_establish=_INSECURE_DOES_NOT_ESTABLISH if is_insecure else _DOES_NOT_ESTABLISH,
    )


def _authenticity(claims: Claims, policy: Policy) -> Part:
    # Claims may have been authenticated for somebody else, under roots that this policy leaves out.
    named = policy.named_roots.get(claims.root) == claims.root_sha256
    if not named and claims.root not in policy.vendor_roots:
        return _failed(
            "authenticity",
            _finding("root-rejected", f"the policy does not accept the root {claims.root!r}"),
        )
    findings = [_finding("root-accepted", f"signed under the root {claims.root!r}")]
    if claims.platform is Platform.INSECURE:
        text = (
            f"the root {claims.root!r} is no vendor's: it is accepted because the policy names it"
        )
        findings.append(_finding("insecure-platform", text))
    return Part(name="authenticity", status=Status.PASSED, findings=tuple(findings))


def _tcb(claims: Claims, accepted: PlatformPolicy | None) -> Part:
    if accepted is None:
        return _not_accepted("tcb", claims)
    # Nothing of what is read here has firmware versions or revocation lists to look at, and the
    # only thing that a policy can say about it is that it does without.
    text = f"{claims.technology} evidence has no firmware versions, and no revocation is checked"
    return Part(
        name="tcb",
        status=Status.NOT_REQUIRED,
        findings=(_finding("tcb-not-required", text),),
    )


def _configuration(claims: Claims, accepted: PlatformPolicy | None) -> Part:
    if accepted is None:
        text = f"the policy does not accept the platform {claims.platform.value!r}"
        return _failed("configuration", _finding("platform-rejected", text))
    if not claims.debug:
        return Part(name="configuration", status=Status.PASSED)
    # A debugger reads every secret, whatever the measurements say.
    text = "whoever runs this environment can look inside: it is in debug mode"
    finding = _finding("debug-mode", text)
    if accepted.debug is Choice.ACCEPTED:
        return Part(name="configuration", status=Status.PASSED, findings=(finding,))
    return _failed("configuration", finding)


def _identity(claims: Claims, accepted: PlatformPolicy | None) -> Part:
    if accepted is None:
        return _not_accepted("identity", claims)
    if isinstance(accepted.references, Choice):
        text = "the policy does not ask which code runs"
        return Part(
            name="identity",
            status=Status.NOT_REQUIRED,
            findings=(_finding("measurements-not-required", text),),
        )
    differing = [(_differences(claims, reference), reference) for reference in accepted.references]
    # The nearest reference is the one that somebody most likely meant.
    differences, nearest = min(differing, key=lambda pair: len(pair[0]))
    if differences:
        return _failed("identity", *(_mismatch(claims, nearest, name) for name in differences))
    text = f"the measurements are those of {nearest.name!r}"
    return Part(
        name="identity",
        status=Status.PASSED,
        findings=(_finding("measurements-accepted", text),),
    )


def _differences(claims: Claims, reference: Reference) -> list[str]:
    return [
        name
        for name, wanted in reference.measurements.items()
        if claims.measurements.get(name) != wanted
    ]


def _mismatch(claims: Claims, nearest: Reference, name: str) -> Finding:
    found = claims.measurements.get(name)
    has = "is not there" if found is None else f"is {found.hex()}"
    wanted = nearest.measurements[name].hex()
    return _finding(
        "measurement-rejected",
        f"{name} {has}; the nearest accepted, {nearest.name!r}, has {wanted}",
    )


def _freshness(claims: Claims, policy: Policy, expected: Expected, at: datetime) -> Part:
    findings = [*_binding_findings(claims, expected), *_time_findings(claims, policy, at)]
    if expected.asked is not None and expected.asked != expected.challenge:
        text = "the evidence is over another challenge than the one that was sent"
        findings.append(_finding("challenge-mismatch", text))
    if findings:
        return _failed("freshness", *findings)
    if policy.evidence.challenge is Choice.REQUIRED and not expected.asked:
        text = "the policy wants a challenge, and the verifier was not told of one"
        return _not_evaluated("freshness", "challenge-missing", text)
    return Part(name="freshness", status=Status.PASSED)


def _binding_findings(claims: Claims, expected: Expected) -> list[Finding]:
    findings = []
    if claims.report_data != expected.report_data:
        text = "the evidence does not commit to this manifest and this challenge"
        findings.append(_finding("report-data-mismatch", text))
    if (claims.nonce or b"") != expected.challenge:
        text = "the evidence's nonce is not the challenge that comes with it"
        findings.append(_finding("evidence-nonce-mismatch", text))
    if (claims.public_key or b"") != expected.public_key:
        text = "the evidence is over another public key than the worker's"
        findings.append(_finding("public-key-mismatch", text))
    return findings


def _time_findings(claims: Claims, policy: Policy, at: datetime) -> list[Finding]:
    if claims.issued > at + CLOCK_TOLERANCE:
        text = f"the evidence is of {_shown(claims.issued)}, later than {_shown(at)}"
        return [_finding("evidence-from-the-future", text)]
    limit = policy.evidence.maximum_age
    if isinstance(limit, Choice) or at - claims.issued <= limit:
        return []
    seconds = int((at - claims.issued).total_seconds())
    text = f"the evidence is {seconds} s old, the policy wants at most {limit.total_seconds():.0f}"
    return [_finding("evidence-too-old", text)]


def _shown(instant: datetime) -> str:
    return instant.isoformat(timespec="seconds").replace("+00:00", "Z")


def _finding(code: str, message: str) -> Finding:
    return Finding(code=code, message=message)


def _failed(name: str, *findings: Finding) -> Part:
    return Part(name=name, status=Status.FAILED, findings=findings)


def _not_evaluated(name: str, code: str, message: str) -> Part:
    return Part(name=name, status=Status.NOT_EVALUATED, findings=(_finding(code, message),))


def _not_accepted(name: str, claims: Claims) -> Part:
    text = f"the policy says nothing about the platform {claims.platform.value!r}"
    return _not_evaluated(name, "platform-not-in-policy", text)
