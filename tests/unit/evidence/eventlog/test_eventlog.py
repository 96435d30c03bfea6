from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.fakes.eventlog import SHA1, SHA256, SHA384, entry, header, replayed
from tests.unit.appraisal.policies import changed
from tests.unit.appraisal.test_tcb import TD

from adyton.appraisal.policy import Policy
from adyton.errors import MalformedError
from adyton.evidence.eventlog.layout import Algorithm, EventLog
from adyton.evidence.eventlog.replay import EventLogRejectedError, check_replays, registers
from adyton.model.claims import Claims, Technology
from adyton.verification.explain import explain_identity

KERNEL = (b"kernel", b"command line quiet", b"initrd")
OTHER = (b"kernel", b"command line debug", b"initrd")


def log_of(events: tuple[bytes, ...], *, register: int = 3, rest: bytes = bytes(64)) -> bytes:
    """Return the log of a TD: what is its second runtime register is the log's third."""
    first = entry(1, b"firmware")
    return header() + first + b"".join(entry(register, item) for item in events) + rest


@pytest.mark.parametrize("rest", [b"", bytes(1000), b"\xff" * 1000])
def test_a_log_is_read_up_to_what_firmware_left_of_its_table(rest: bytes) -> None:
    log = EventLog.from_bytes(log_of(KERNEL, rest=rest))
    assert [item.register for item in log.entries] == [1, 3, 3, 3]
    assert log.entries[1].event == b"kernel"
    assert set(log.entries[1].digests) == {Algorithm.SHA256, Algorithm.SHA384}


def test_digests_of_other_algorithms_are_passed_over() -> None:
    algorithms = (SHA1, SHA256)
    data = header(algorithms) + entry(0, b"x", algorithms=algorithms)
    assert set(EventLog.from_bytes(data).entries[0].digests) == {Algorithm.SHA256}


GOOD = log_of(KERNEL, rest=b"")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        entry(0, b"x"),
        header(signature=b"Spec ID Event02\0") + entry(0, b"x"),
        header((SHA256,)) + entry(0, b"x", algorithms=(SHA384,)),
        header((SHA256,)) + entry(0, b"x", algorithms=(SHA256, SHA384)),
        header(()) + entry(0, b"x", algorithms=()),
        header((SHA256, SHA256)) + entry(0, b"x"),
        header() + entry(0, b"x")[:-5] + b"\xff\xff\xff\x7f1",
        b"\1" * (4 * 1024 * 1024 + 1),
    ],
)
def test_what_is_no_log_is_malformed(data: bytes) -> None:
    with pytest.raises(MalformedError):
        EventLog.from_bytes(data)


def test_a_log_that_ends_early_is_malformed() -> None:
    ends = {len(header())}
    for item in EventLog.from_bytes(GOOD).entries:
        ends.add(max(ends) + 12 + 2 * 2 + 32 + 48 + 4 + len(item.event))
    assert max(ends) == len(GOOD)
    for size in range(len(GOOD)):
        if size not in ends:
            with pytest.raises(MalformedError):
                EventLog.from_bytes(GOOD[:size])


@given(st.binary(max_size=512))
def test_any_bytes_are_read_or_malformed(data: bytes) -> None:
    try:
        log = EventLog.from_bytes(header() + data)
    except MalformedError:
        return
    assert all(item.digests.keys() <= set(Algorithm) for item in log.entries)


def test_entries_that_lead_to_a_register_are_told_from_those_that_do_not() -> None:
    log = EventLog.from_bytes(log_of(KERNEL))
    found = registers(log, Technology.TDX, {"rtmr0", "rtmr2", "mr_td"})
    assert {name: len(entries) for name, entries in found.items()} == {"rtmr0": 1, "rtmr2": 3}
    check_replays("rtmr2", found["rtmr2"], replayed(KERNEL))
    for wrong in (replayed(OTHER), replayed(KERNEL[:2]), bytes(48), b"", bytes(20)):
        with pytest.raises(EventLogRejectedError, match="rtmr2"):
            check_replays("rtmr2", found["rtmr2"], wrong)


def test_a_register_of_a_tpm_begins_with_the_locality_of_its_start() -> None:
    started = entry(0, b"StartupLocality\0\3", kind=3)
    log = EventLog.from_bytes(header() + started + entry(0, b"x"))
    found = registers(log, Technology.AZURE_TDX, {"pcr0"})["pcr0"]
    check_replays("pcr0", found, replayed([b"x"], name="sha256", start=bytes(31) + b"\3"))
    with pytest.raises(EventLogRejectedError):
        check_replays("pcr0", found, replayed([b"x"], name="sha256"))


def claims_of(events: tuple[bytes, ...]) -> Claims:
    return replace(TD, measurements={**TD.measurements, "rtmr2": replayed(events)})


def policy_of(events: tuple[bytes, ...]) -> Policy:
    named: Any = {"td": {"mr_td": "0f" * 48, "rtmr2": replayed(events).hex()}}
    return Policy.from_json(changed("platforms/tdx/measurements", named))


def test_the_first_entry_in_which_two_logs_part_is_named() -> None:
    (found,) = explain_identity(
        claims_of(OTHER),
        policy=policy_of(KERNEL),
        log=EventLog.from_bytes(log_of(OTHER)),
        reference=EventLog.from_bytes(log_of(KERNEL)),
    )
    assert found.code == "event-differs"
    assert found.message.startswith("rtmr2, entry 1: is EV_IPL ")
    assert "'command line debug'" in found.message
    assert "'command line quiet'" in found.message


@pytest.mark.parametrize(
    ("ours", "theirs", "who"),
    [(KERNEL, KERNEL[:2], "only the evidence has"), (KERNEL[:2], KERNEL, "only the reference has")],
)
def test_an_entry_too_many_is_named_with_who_has_it(
    ours: tuple[bytes, ...], theirs: tuple[bytes, ...], who: str
) -> None:
    (found,) = explain_identity(
        claims_of(ours),
        policy=policy_of(theirs),
        log=EventLog.from_bytes(log_of(ours)),
        reference=EventLog.from_bytes(log_of(theirs)),
    )
    assert who in found.message
    assert "'initrd'" in found.message


def test_without_a_reference_every_entry_is_listed() -> None:
    log = EventLog.from_bytes(log_of(OTHER))
    found = explain_identity(claims_of(OTHER), policy=policy_of(KERNEL), log=log)
    assert [item.code for item in found] == ["event-logged"] * 3


def test_a_reference_that_leads_nowhere_accepted_is_not_compared_with() -> None:
    log, strange = (EventLog.from_bytes(log_of(item)) for item in (OTHER, (b"x",)))
    found = explain_identity(claims_of(OTHER), policy=policy_of(KERNEL), log=log, reference=strange)
    assert [item.code for item in found] == ["event-logged"] * 3


def test_a_forged_log_explains_nothing() -> None:
    log = EventLog.from_bytes(log_of(KERNEL))
    (found,) = explain_identity(claims_of(OTHER), policy=policy_of(KERNEL), log=log)
    assert found.code == "event-log-rejected"


def test_a_log_about_something_else_is_silent() -> None:
    log = EventLog.from_bytes(log_of(OTHER, register=4))
    (found,) = explain_identity(claims_of(OTHER), policy=policy_of(KERNEL), log=log)
    assert found.code == "event-log-silent"
