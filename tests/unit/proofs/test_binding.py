from dataclasses import replace
from typing import Any

import pytest
from tests.unit.proofs.tables import BINDING, SOURCE, TIME

from adyton.crypto.hashing import FIELD_MODULUS, hash_to_field
from adyton.model.value import DataSource
from adyton.proofs.binding import Binding, text_hash


def test_the_parts_are_hashed_under_their_own_domains() -> None:
    binding = Binding.of(
        nonce="n", audience="a", source=SOURCE, provider_digest=b"\x01" * 32, time=TIME
    )

    assert binding.nonce == hash_to_field("adyton/nonce/v1", b"n", b"a")
    assert binding.data_source == hash_to_field("adyton/data-source/v1", b"plaid", b"ins_109508")
    assert binding.provider == hash_to_field("adyton/provider/v1", b"\x01" * 32)
    assert binding.today == TIME // 86_400


@pytest.mark.parametrize(
    "other",
    [
        {"nonce": "na"},
        {"audience": "b"},
        {"source": DataSource(name="plaidins", institution="_109508")},
        {"provider_digest": bytes(31) + b"\x01"},
        {"time": TIME + 1},
    ],
)
def test_each_part_changes_the_binding(other: dict[str, Any]) -> None:
    parts: dict[str, Any] = {
        "nonce": "n",
        "audience": "",
        "source": SOURCE,
        "provider_digest": bytes(32),
        "time": TIME,
    }

    assert Binding.of(**parts) == BINDING
    assert Binding.of(**{**parts, **other}) != BINDING


@pytest.mark.parametrize(
    "broken",
    [
        {"nonce": FIELD_MODULUS},
        {"data_source": -1},
        {"provider": FIELD_MODULUS},
        {"time": -1},
        {"time": 2**64},
    ],
)
def test_what_no_circuit_takes_is_our_own_mistake(broken: dict[str, int]) -> None:
    with pytest.raises(ValueError):
        replace(BINDING, **broken)


def test_texts_are_told_apart() -> None:
    assert text_hash("USD") == hash_to_field("adyton/text/v1", b"USD")
    assert text_hash("USD") != text_hash("usd")
