"""How much proving a gateway takes on: what is left out has a default, what is wrong stops it."""

from datetime import timedelta

import pytest

from adyton.adapters.environment import SettingMalformedError
from adyton.gateway.problems import OverloadedError
from adyton.gateway.proving.room import Room
from adyton.gateway.proving.settings import ProvingSettings, Switch

EVERYTHING = {
    "ADYTON_PROVE_AT_ONCE": "3",
    "ADYTON_PROVE_LINE": "4",
    "ADYTON_PROVE_KEY_LINE": "5",
    "ADYTON_PROVE_DEADLINE_SECONDS": "6",
    "ADYTON_PROVE_BODIES_MIB": "7",
    "ADYTON_JOBS_PER_KEY": "8",
    "ADYTON_JOBS_MIB": "9",
    "ADYTON_JOB_MINUTES": "10",
    "ADYTON_TEE_REX": "off",
    "ADYTON_TEE_REX_PER_HOUR": "11",
    "ADYTON_TEE_REX_ORIGINS": "https://app.example, http://localhost:3000,http://[::1]:8080",
}


def test_what_is_left_out_has_its_default() -> None:
    assert ProvingSettings.from_environ({}) == ProvingSettings()


def test_every_variable_sets_its_own() -> None:
    found = ProvingSettings.from_environ(EVERYTHING)

    assert (found.at_once, found.waiting, found.key_waiting) == (3, 4, 5)
    assert found.deadline == timedelta(seconds=6)
    assert found.memory_bytes == 7 * 1024 * 1024
    assert (found.jobs.key_jobs, found.jobs.stored_bytes) == (8, 9 * 1024 * 1024)
    assert found.kept == timedelta(minutes=10)
    assert (found.tee_rex, found.tee_rex_per_hour) == (Switch.OFF, 11)
    assert found.tee_rex_origins == {
        "https://app.example",
        "http://localhost:3000",
        "http://[::1]:8080",
    }


@pytest.mark.parametrize("name", EVERYTHING)
@pytest.mark.parametrize("value", ["-1", "much"])
def test_what_is_wrong_stops_the_start(name: str, value: str) -> None:
    with pytest.raises(SettingMalformedError, match=name):
        ProvingSettings.from_environ({name: value})


@pytest.mark.parametrize(
    "origin", ["null", "https://app.example/", "HTTPS://app.example", "https://*", "app.example"]
)
def test_what_no_browser_would_name_is_no_origin(origin: str) -> None:
    with pytest.raises(SettingMalformedError, match="no origin"):
        ProvingSettings.from_environ({"ADYTON_TEE_REX_ORIGINS": f"https://a.example,{origin}"})


def test_a_room_is_shared_and_given_back() -> None:
    room = Room(100)
    with room.share() as first, room.share() as second:
        first.take(60)
        with pytest.raises(OverloadedError):
            second.take(41)
        second.take(40)
        assert room.used == 100

    assert room.used == 0


def test_a_room_within_another_takes_of_both() -> None:
    whole = Room(100)
    part = Room(50, within=whole)
    with part.share() as stranger, whole.share() as known:
        with pytest.raises(OverloadedError):
            stranger.take(51)
        known.take(60)
        with pytest.raises(OverloadedError):
            stranger.take(41)
        stranger.take(40)
        assert (part.used, whole.used) == (40, 100)

    assert (part.used, whole.used) == (0, 0)
