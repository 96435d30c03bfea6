"""The fifth part of an appraisal: what the evidence is over, and how old it is."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from adyton.appraisal.document import Choice
from adyton.appraisal.policy import EvidencePolicy
from adyton.model.claims import Claims
from adyton.model.verdict import Finding, Part, failed, finding, not_evaluated, passed, shown
from adyton.model.window import CLOCK_TOLERANCE

__all__ = ["NAME", "Expected", "weigh_freshness"]

NAME: Final = "freshness"


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What the verifier expects evidence to be over; ``None`` is what it does not know.

    ``report_data`` commits to a worker's manifest and challenge, and ``manifest`` is SHA-256 of the
    former. ``nonce`` and ``public_key`` are for technologies that have fields of these names.
    ``challenge`` is the one that comes with the evidence (empty where there is none), and ``asked``
    the one that the verifier itself sent; ``None`` where it sent none.
    """

    report_data: bytes | None = None
    nonce: bytes | None = None
    public_key: bytes | None = None
    manifest: bytes | None = None
    challenge: bytes = b""
    asked: bytes | None = None


def weigh_freshness(
    claims: Claims, policy: EvidencePolicy, expected: Expected, at: datetime
) -> Part:
    """Return the part for what the evidence is over, and for its age.

    1. It is over everything that the verifier or its policy expects, and something is expected.
    2. It is over the challenge that was sent, and one was sent if the policy wants one. What ties
       the two is a nonce or report data that the verifier expects: a challenge that only stands
       beside the evidence is whoever sent it repeating what was asked.
    3. It is neither too old nor from the future, by its own time. Evidence without one is as young
       as the challenge in it, and of no known age without a challenge.
    """
    # Steps 1 and 2
    against = [*_binding_findings(claims, policy, expected), *_time_findings(claims, policy, at)]
    if expected.asked is not None and expected.asked != expected.challenge:
        text = "the evidence is over another challenge than the one that was sent"
        against.append(finding("challenge-mismatch", text))
    if against:
        return failed(NAME, *against)
    is_bound = any(wanted for _, _, wanted in _bound(claims, policy, expected))
    if not is_bound and not isinstance(policy.binding, Choice):
        text = "nobody said what the evidence should be over: a nonce, report data or a key"
        return not_evaluated(NAME, "binding-missing", text)
    if policy.challenge is Choice.REQUIRED and not expected.asked:
        text = "the policy wants a challenge, and the verifier was not told of one"
        return not_evaluated(NAME, "challenge-missing", text)
    if expected.asked and not (expected.report_data or expected.nonce):
        text = "a challenge was sent, and nobody said which report data or nonce it leads to"
        return not_evaluated(NAME, "challenge-unbound", text)
    # Step 3
    if claims.issued is None and not expected.asked and not isinstance(policy.maximum_age, Choice):
        text = "the evidence has no time of its own and no challenge; the policy limits its age"
        return not_evaluated(NAME, "evidence-age-unknown", text)
    return passed(NAME, *([] if is_bound else [_UNBOUND]))


_OTHER_REPORT_DATA: Final = finding(
    "report-data-mismatch", "the evidence's report data is not what it has to be over"
)
_OTHER_NONCE: Final = finding(
    "evidence-nonce-mismatch", "the evidence has another nonce than it has to be over"
)
_OTHER_KEY: Final = finding("public-key-mismatch", "the evidence is over another public key")
_UNBOUND: Final = finding(
    "binding-not-required", "the policy does not ask what the evidence is over: anybody may show it"
)


def _bound(
    claims: Claims, policy: EvidencePolicy, expected: Expected
) -> tuple[tuple[Finding, bytes | None, bytes | None], ...]:
    """Return what is compared, with the finding of a difference: as found, and as wanted."""
    found = (
        (_OTHER_REPORT_DATA, claims.report_data),
        (_OTHER_NONCE, claims.nonce),
        (_OTHER_KEY, claims.public_key),
    )
    wanted = (expected.report_data, expected.nonce, expected.public_key)
    pairs = [(*item, want) for item, want in zip(found, wanted, strict=True)]
    binding = policy.binding
    if not isinstance(binding, Choice):
        ours = (binding.report_data, binding.nonce, binding.public_key)
        pairs += [(*item, want) for item, want in zip(found, ours, strict=True)]
    return tuple(pairs)


def _binding_findings(
    claims: Claims, policy: EvidencePolicy, expected: Expected
) -> Iterator[Finding]:
    for mismatch, found, wanted in _bound(claims, policy, expected):
        # What has no value is over nothing, which is what an empty expectation wants.
        if wanted is not None and (found or b"") != wanted:
            yield mismatch
    binding = policy.binding
    manifests = None if isinstance(binding, Choice) else binding.manifests
    if manifests is not None and expected.manifest not in manifests:
        text = "the evidence is not for a manifest that the policy names"
        yield finding("manifest-rejected", text)


def _time_findings(claims: Claims, policy: EvidencePolicy, at: datetime) -> Iterator[Finding]:
    issued, limit = claims.issued, policy.maximum_age
    if issued is None:
        return
    # A difference, for the last instant that there is has none behind it.
    if issued - at > CLOCK_TOLERANCE:
        text = f"the evidence is of {shown(issued)}, later than {shown(at)}"
        yield finding("evidence-from-the-future", text)
    elif not isinstance(limit, Choice) and at - issued > limit:
        seconds = int((at - issued).total_seconds())
        text = (
            f"the evidence is {seconds} s old, the policy wants at most {limit.total_seconds():.0f}"
        )
        yield finding("evidence-too-old", text)
