"""Why a measurement is another than the accepted one, entry by entry, where there is an event log.

An explanation is no part of a verdict: a log that was forged so that it leads to the same register
does not exist, and one that leads elsewhere explains nothing and says so.
"""

from adyton.appraisal.document import Choice
from adyton.appraisal.identity import nearest
from adyton.appraisal.policy import Policy
from adyton.evidence.eventlog.layout import Entry, EventLog
from adyton.evidence.eventlog.replay import (
    EventLogRejectedError,
    check_replays,
    explain,
    registers,
)
from adyton.model.claims import Claims
from adyton.model.verdict import Finding, finding

__all__ = ["explain_identity"]


def explain_identity(
    claims: Claims, *, policy: Policy, log: EventLog, reference: EventLog | None = None
) -> tuple[Finding, ...]:
    """Return which entries of ``log`` make the evidence another than the nearest reference.

    1. Of each register in which they differ, the log leads to the evidence's value: then it is
       true, whoever gave it.
    2. With the log of a ``reference`` that leads to an accepted value, the first entry in which the
       two part; else all entries.
    """
    accepted = policy.platforms.get(claims.platform)
    if accepted is None or isinstance(accepted.references, Choice):
        return ()
    best, names = nearest(claims, accepted.references)
    ours = registers(log, claims.technology, claims.measurements)
    theirs = {} if reference is None else registers(reference, claims.technology, best.measurements)
    found: list[Finding] = []
    for name in names:
        if name not in ours:
            continue
        # Step 1
        try:
            check_replays(name, ours[name], claims.measurements[name])
        except EventLogRejectedError as error:
            found.append(Finding.from_error(error))
            continue
        # Step 2
        wanted = best.measurements[name]
        values = frozenset[bytes]() if isinstance(wanted, int) else wanted
        found += explain(name, ours[name], _accepted(name, theirs.get(name), values))
    return tuple(found) or (
        finding("event-log-silent", "the event log has nothing of what differs"),
    )


def _accepted(
    name: str, entries: tuple[Entry, ...] | None, values: frozenset[bytes]
) -> tuple[Entry, ...] | None:
    """Return the reference's entries if they lead to a value that the policy accepts."""
    for value in values if entries is not None else ():
        try:
            check_replays(name, entries or (), value)
        except EventLogRejectedError:
            continue
        return entries
    return None
