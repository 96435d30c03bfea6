"""The commitment is the documented sponge over the documented elements: anybody can open one."""

from collections.abc import Sequence

import pytest
from tests.integration.circuits.machinery import Machinery
from tests.integration.circuits.samples import SALT, SAMPLES

from adyton.adapters.barretenberg.commands import Command
from adyton.crypto.hashing import FIELD_MODULUS

NAMES = sorted(SAMPLES)


def permute(machinery: Machinery, state: Sequence[int]) -> list[int]:
    """Return Poseidon2's permutation, as ``bb`` computes it."""
    command = Command(
        name="Poseidon2Permutation",
        fields={"inputs": [element.to_bytes(32) for element in state]},
        response="Poseidon2PermutationResponse",
        read=lambda fields: fields["outputs"],
    )
    found = machinery.bb._ask(command)
    assert isinstance(found, list)
    return [int.from_bytes(element) for element in found]


def commit(machinery: Machinery, name: str, elements: Sequence[int]) -> int:
    state = [0, 0, 0, int.from_bytes(f"adyton/{name}/v1".encode())]
    stream = [SALT, *elements]
    for at in range(0, len(stream), 3):
        for place, element in enumerate(stream[at : at + 3]):
            state[place] = (state[place] + element) % FIELD_MODULUS
        state = permute(machinery, state)
    return state[0]


def packed(values: Sequence[int], width: int) -> list[int]:
    each = 253 // width
    return [
        sum(value << (width * place) for place, value in enumerate(values[at : at + each]))
        for at in range(0, len(values), each)
    ]


def elements(name: str, inputs: dict[str, int]) -> list[int]:
    """Return what a circuit commits to, from its inputs by label."""

    def row(pattern: str, count: int) -> list[int]:
        return [inputs[pattern.format(index)] for index in range(count)]

    found: list[int]
    match name:
        case "balance_threshold":
            balances = packed(row("balances[{}]", 16), 64)
            found = [inputs["count"], *balances, *row("currencies[{}]", 16)]
        case "income":
            found = [inputs["paid_in"], *packed(row("incomes[{}]", 12), 64)]
        case "employment_status":
            parts = zip(
                row("positions[{}].start_day", 16),
                row("positions[{}].end_day", 16),
                row("positions[{}].has_end", 16),
                strict=True,
            )
            positions = [start + (end << 32) + (has << 64) for start, end, has in parts]
            found = [inputs["count"], *packed(positions, 65), *row("positions[{}].employer", 16)]
        case "credential_validity":
            rows = zip(
                row("credentials[{}].issued_day", 8),
                row("credentials[{}].expiry_day", 8),
                row("credentials[{}].level", 8),
                row("credentials[{}].is_issued", 8),
                row("credentials[{}].has_expiry", 8),
                strict=True,
            )
            credentials = [
                issued + (expiry << 32) + (level << 64) + (is_issued << 72) + (has_expiry << 73)
                for issued, expiry, level, is_issued, has_expiry in rows
            ]
            found = [inputs["count"], *packed(credentials, 74), *row("credentials[{}].subject", 8)]
        case "credit_score":
            found = [inputs["score"]]
        case "transaction_pattern":
            columns = zip(
                row("transactions[{}].category", 512),
                row("transactions[{}].period", 512),
                row("transactions[{}].day", 512),
                row("transactions[{}].credit", 512),
                strict=True,
            )
            transactions = [
                category + (period << 8) + (day << 16) + (credit << 24)
                for category, period, day, credit in columns
            ]
            found = [inputs["currency"], *row("categories[{}]", 64), *packed(transactions, 88)]
        case "account_ownership":
            found = [
                element
                for account in range(8)
                for element in (
                    *row(f"accounts[{account}].owners[{{}}]", 4),
                    inputs[f"accounts[{account}].number"],
                )
            ]
        case _:
            found = [inputs[label] for label in ("kind", "present", "number", "text")]
    return found


@pytest.mark.parametrize("answer", [True, False])
@pytest.mark.parametrize("name", NAMES)
def test_the_commitment_is_the_documented_one(
    machinery: Machinery, name: str, *, answer: bool
) -> None:
    values = machinery.solve(name, answer=answer)
    labels = [
        label
        for parameter in machinery.circuits[name].abi.parameters
        for label in parameter.type.labels(parameter.name)
    ]
    inputs = {label: values[index] for index, label in enumerate(labels)}

    expected = commit(machinery, name, elements(name, inputs))
    assert values[machinery.programs[name].returned[0]] == expected
