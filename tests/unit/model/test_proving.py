"""A proving request and its receipt: one form of bytes for each, and nothing else is read."""

from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adyton.codec import cbor
from adyton.codec.json import JsonObject, canonical
from adyton.errors import MalformedError
from adyton.model.proving import (
    ProvingHeader,
    Scheme,
    SchemeUnavailableError,
    SealedProving,
    Target,
    proving_info,
)
from adyton.model.proving_job import (
    ChonkJob,
    Inputs,
    NoirCircuit,
    RegisteredCircuit,
    UltraHonkJob,
    job_from_bytes,
    job_to_bytes,
)
from adyton.model.proving_receipt import ProvingReceipt, ProvingStatement

HEADER = ProvingHeader(
    scheme=Scheme.ULTRA_HONK, target=Target.EVM, nonce="n", audience="", issued_at=1_700_000_000
)
SEALED = SealedProving(header=HEADER, box=b"box")
STATEMENT = ProvingStatement(
    header=HEADER,
    sealed=b"s" * 32,
    circuit=b"c" * 32,
    verification_key=b"k" * 32,
    public_inputs=b"i" * 32,
    proof=b"p" * 32,
    time=1_700_000_001,
    manifest=b"m" * 32,
)
JOBS = [
    UltraHonkJob(circuit=NoirCircuit(bytecode=b"b", key=b"k"), solution=b"w"),
    UltraHonkJob(circuit=NoirCircuit(bytecode=b"b", key=None), solution=b"w"),
    UltraHonkJob(
        circuit=RegisteredCircuit(digest=b"d" * 32),
        solution=Inputs(values={"x": "0x01", "y": [1, True]}, abi={"parameters": []}),
    ),
    ChonkJob(steps=b"steps"),
]


def test_a_request_is_read_as_it_was_written() -> None:
    data = SEALED.to_bytes()
    assert SealedProving.from_bytes(data) == SEALED
    size = int.from_bytes(data[:4], "little")
    assert data[4 : 4 + size] == HEADER.to_bytes()
    assert data[4 + size :] == b"box"


def test_the_info_of_a_box_is_domain_and_header_each_behind_its_length() -> None:
    header = HEADER.to_bytes()
    assert proving_info(HEADER) == (
        (15).to_bytes(8, "little") + b"adyton/prove/v1" + len(header).to_bytes(8, "little") + header
    )


@given(st.binary(max_size=400))
def test_any_bytes_are_a_request_or_malformed(data: bytes) -> None:
    with suppress(MalformedError):
        assert SealedProving.from_bytes(data).to_bytes() == data


@given(st.integers(min_value=0, max_value=8 * len(SEALED.to_bytes()) - 1))
def test_a_flipped_bit_is_another_request_or_malformed(bit: int) -> None:
    data = bytearray(SEALED.to_bytes())
    data[bit // 8] ^= 1 << bit % 8
    with suppress(MalformedError):
        assert SealedProving.from_bytes(bytes(data)) != SEALED


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"version": "adyton/proving/v2"}, "version"),
        ({"nonce": ""}, "nonce is empty"),
        ({"nonce": "n" * 257}, "nonce"),
        ({"issued_at": -1}, "issued_at"),
        ({"extra": 1}, "extra"),
        ({"scheme": "groth16"}, "available is ultra_honk for evm"),
        ({"target": "starknet"}, "available is ultra_honk for evm"),
        ({"target": "aztec"}, "available is ultra_honk for evm"),
        ({"scheme": "chonk"}, "chonk for aztec"),
    ],
)
def test_a_header_of_another_kind_is_refused_and_never_taken_for_this_one(
    change: JsonObject, message: str
) -> None:
    with pytest.raises(MalformedError, match=message):
        ProvingHeader.from_json({**HEADER.to_json(), **change})


def test_a_scheme_goes_with_its_targets_only() -> None:
    with pytest.raises(SchemeUnavailableError):
        replace(HEADER, scheme=Scheme.CHONK)
    assert replace(HEADER, scheme=Scheme.CHONK, target=Target.AZTEC).target is Target.AZTEC


def test_a_header_has_one_form() -> None:
    loose = canonical(HEADER.to_json()).replace(b'":', b'": ')
    data = len(loose).to_bytes(4, "little") + loose + b"box"
    with pytest.raises(MalformedError, match="canonical"):
        SealedProving.from_bytes(data)


@pytest.mark.parametrize("job", JOBS, ids=["with key", "without key", "registered", "chain"])
def test_a_job_is_read_as_it_was_written(job: Any) -> None:
    scheme = Scheme.CHONK if isinstance(job, ChonkJob) else Scheme.ULTRA_HONK
    assert job_from_bytes(job_to_bytes(job), scheme) == job


@pytest.mark.parametrize(
    ("inputs", "types", "message"),
    [
        (b'{"x":[' + b"[]," * (1 << 19) + b"[]]}", b"{}", "inputs: json has more than"),
        (b"{}", b'{"parameters":[' + b"{}," * (1 << 16) + b"{}]}", "abi: json has more than"),
        (b'{"x":' + b"[" * 33 + b"]" * 33 + b"}", b"{}", "inputs: json is nested deeper"),
        (b"{}", b'{"x":' + b'{"type":' * 32 + b"{}" + b"}" * 33, "abi: json is nested deeper"),
        (b'{"x":' + b"9" * 401 + b"}", b"{}", "inputs: json has a number that is too long"),
    ],
    ids=["values", "types", "depth", "depth of types", "integer"],
)
def test_a_small_text_does_not_become_a_large_value(
    inputs: bytes, types: bytes, message: str
) -> None:
    data = cbor.dumps({"circuit_digest": bytes(32), "inputs": inputs, "abi": types})
    with pytest.raises(MalformedError, match=message):
        job_from_bytes(data, Scheme.ULTRA_HONK)


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"bytecode": b"b"},
        {"witness": b"w"},
        {"bytecode": b"", "witness": b"w"},
        {"bytecode": "b", "witness": b"w"},
        {"bytecode": b"b", "witness": b"w", "inputs": b"{}", "abi": b"{}"},
        {"bytecode": b"b", "inputs": b"{}"},
        {"bytecode": b"b", "inputs": b"[]", "abi": b"{}"},
        {"bytecode": b"b", "witness": b"w", "circuit_digest": bytes(32)},
        {"circuit_digest": bytes(31), "witness": b"w"},
        {"circuit_digest": bytes(32), "witness": b"w", "key": b"k"},
        {"bytecode": b"b", "witness": b"w", "extra": 1},
        {"steps": b"s"},
    ],
)
def test_a_job_with_other_fields_is_malformed(fields: Any) -> None:
    with pytest.raises(MalformedError):
        job_from_bytes(cbor.dumps(fields), Scheme.ULTRA_HONK)


def test_a_job_of_nothing_but_values_is_refused_before_they_are_made() -> None:
    with pytest.raises(MalformedError, match="more values"):
        job_from_bytes(cbor.dumps({"steps": [{}] * 100}), Scheme.CHONK)


@given(st.binary(max_size=200), st.sampled_from(Scheme))
def test_any_bytes_are_a_job_or_malformed(data: bytes, scheme: Scheme) -> None:
    with suppress(MalformedError):
        job_from_bytes(data, scheme)


def test_a_statement_is_read_as_it_was_written() -> None:
    assert ProvingStatement.from_json(STATEMENT.to_json()) == STATEMENT


@pytest.mark.parametrize("name", sorted(STATEMENT.to_json()))
def test_a_statement_lacks_nothing(name: str) -> None:
    record = STATEMENT.to_json()
    del record[name]
    with pytest.raises(MalformedError):
        ProvingStatement.from_json(record)


@pytest.mark.parametrize("data", [b"", b"{}", b"[]", b'{"version": "adyton/proving-receipt/v2"}'])
def test_what_is_no_receipt_is_malformed(data: bytes) -> None:
    with pytest.raises(MalformedError):
        ProvingReceipt.from_bytes(data)
