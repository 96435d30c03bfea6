"""Authentic claims held against a policy: the evidence layer of a verdict, in five parts.

1. *authenticity*: the claims come from under a root that the policy accepts;
2. *tcb*: firmware versions and revocation, as far as the technology has them;
3. *configuration*: nobody can look inside, on a platform that the policy accepts, and the policy's
   expression is satisfied, if it has one;
4. *identity*: the measurements are those of a reference that the policy names;
5. *freshness*: the evidence is over what was expected, recent, and not from the future.

A pure function: it opens no file and asks no clock. That claims are authentic was settled by the
technology's ``authenticate``; ``refuse`` says in a verdict's words that it was not.
"""

from datetime import datetime
from typing import Final

from adyton.appraisal.document import Choice
from adyton.appraisal.freshness import Expected, weigh_freshness
from adyton.appraisal.identity import weigh_identity
from adyton.appraisal.platforms import PlatformPolicy
from adyton.appraisal.policy import Policy
from adyton.appraisal.tcb import weigh_tcb
from adyton.errors import AdytonError
from adyton.model.claims import DEBUG_MODE, Claims, Platform
from adyton.model.verdict import (
    EVIDENCE_PARTS,
    Finding,
    Layer,
    LayerName,
    Part,
    failed,
    finding,
    not_evaluated,
    passed,
)

__all__ = ["appraise", "refuse"]

_ESTABLISHES: Final = (
    "a genuine trusted execution environment of this vendor runs the code with these measurements,"
    " and holds the keys that the evidence is over"
)
_DOES_NOT_ESTABLISH: Final = (
    "that this code is good: build its image again and compare the measurements; nor that the"
    " hardware withstands whoever holds it in their hands"
)
_SERVICE_ESTABLISHES: Final = (
    "this attestation service says that it has seen such an environment, with these measurements"
)
_SERVICE_DOES_NOT_ESTABLISH: Final = (
    "anything that hardware says: nobody can check what the service checked, or whether it looked;"
    " nor that this code is good"
)
_INSECURE_ESTABLISHES: Final = (
    "somebody with the key of a development root says that code with these measurements runs,"
    " and holds the keys that the evidence is over"
)
_INSECURE_DOES_NOT_ESTABLISH: Final = (
    "anything about hardware, or about the code that really runs: no vendor vouches for this root"
)


def appraise(claims: Claims, *, policy: Policy, expected: Expected, at: datetime) -> Layer:
    """Return the evidence layer for authentic ``claims`` at the instant ``at``."""
    accepted = policy.platforms.get(claims.platform)
    return _layer(
        (
            _authenticity(claims, policy),
            _tcb(claims, accepted, at),
            _configuration(claims, accepted, at),
            _identity(claims, accepted),
            weigh_freshness(claims, policy.evidence, expected, at),
        ),
        claims.platform,
    )


def refuse(error: AdytonError) -> Layer:
    """Return the evidence layer for evidence that is not authentic, for the reason in ``error``."""
    unread = tuple(
        not_evaluated(name, "not-authentic", "the evidence is not authentic, so it says nothing")
        for name in EVIDENCE_PARTS[1:]
    )
    return _layer((failed(EVIDENCE_PARTS[0], Finding.from_error(error)), *unread), None)


def _layer(parts: tuple[Part, ...], platform: Platform | None) -> Layer:
    establishes, does_not_establish = _ESTABLISHES, _DOES_NOT_ESTABLISH
    if platform is Platform.INSECURE:
        establishes, does_not_establish = _INSECURE_ESTABLISHES, _INSECURE_DOES_NOT_ESTABLISH
    elif platform is not None and platform.is_service:
        establishes, does_not_establish = _SERVICE_ESTABLISHES, _SERVICE_DOES_NOT_ESTABLISH
    return Layer(
        name=LayerName.EVIDENCE,
        parts=parts,
        establishes=establishes,
        does_not_establish=does_not_establish,
    )


def _authenticity(claims: Claims, policy: Policy) -> Part:
    # Claims may have been authenticated for somebody else, under roots that this policy leaves out.
    named = policy.named_roots.get(claims.root) == claims.root_sha256
    if not named and claims.root not in policy.vendor_roots:
        return failed(
            "authenticity",
            finding("root-rejected", f"the policy does not accept the root {claims.root!r}"),
        )
    findings = [finding("root-accepted", f"signed under the root {claims.root!r}")]
    if claims.platform is Platform.INSECURE:
        text = (
            f"the root {claims.root!r} is no vendor's: it is accepted because the policy names it"
        )
        findings.append(finding("insecure-platform", text))
    if claims.platform.is_service:
        text = f"{claims.platform} vouches for what it says it has seen, and no hardware does"
        findings.append(finding("service-vouches", text))
    return passed("authenticity", *findings)


def _tcb(claims: Claims, accepted: PlatformPolicy | None, at: datetime) -> Part:
    if accepted is None:
        return _not_accepted("tcb", claims)
    return weigh_tcb(claims, accepted.tcb, at=at)


def _configuration(claims: Claims, accepted: PlatformPolicy | None, at: datetime) -> Part:
    if accepted is None:
        text = f"the policy does not accept the platform {claims.platform.value!r}"
        return failed("configuration", finding("platform-rejected", text))
    against = [item for item in claims.configuration if not _is_accepted(item, accepted)]
    if accepted.expression is not None:
        unsatisfied = accepted.expression.check(claims.to_json(), at=at)
        against += [] if unsatisfied is None else [unsatisfied]
    if against:
        return failed("configuration", *against)
    return passed("configuration", *claims.configuration)


def _is_accepted(item: Finding, accepted: PlatformPolicy) -> bool:
    # A debugger reads every secret, whatever the measurements say: it has a word of its own.
    if item.code == DEBUG_MODE:
        return accepted.debug is Choice.ACCEPTED
    return item.code in accepted.findings


def _identity(claims: Claims, accepted: PlatformPolicy | None) -> Part:
    if accepted is None:
        return _not_accepted("identity", claims)
    return weigh_identity(claims, accepted.references)


def _not_accepted(name: str, claims: Claims) -> Part:
    text = f"the policy says nothing about the platform {claims.platform.value!r}"
    return not_evaluated(name, "platform-not-in-policy", text)
