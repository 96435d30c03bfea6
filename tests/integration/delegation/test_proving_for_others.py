"""Proofs for others: what comes back holds, and names what it was made for."""

import gzip

import pytest
from tests.integration.delegation.conftest import Caller, balance_job, bytecode, inputs, key

from adyton.crypto.hashing import sha256
from adyton.model.proving import SealedProving, Target
from adyton.model.proving_job import NoirCircuit, RegisteredCircuit


async def test_the_statement_names_request_circuit_key_and_proof(caller: Caller) -> None:
    sealed = caller.seal(balance_job(), nonce="n", audience="a")
    receipt = await caller.send(sealed, challenge=b"fresh")
    statement = receipt.statement
    assert statement.header == SealedProving.from_bytes(sealed).header
    assert (statement.header.nonce, statement.header.audience) == ("n", "a")
    assert statement.sealed == sha256(sealed)
    assert statement.circuit == sha256(gzip.decompress(bytecode()))
    assert statement.verification_key == sha256(receipt.verification_key) == sha256(key())
    assert statement.proof == sha256(receipt.proof)
    assert statement.manifest == sha256(caller.manifest.to_bytes())
    assert receipt.public_inputs[-1] == 1
    assert receipt.challenge == b"fresh"
    assert caller.events == ["opened", "solving", "proving", "attesting"]
