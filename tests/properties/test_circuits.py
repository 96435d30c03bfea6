"""Plain evaluation and circuit agree, for each circuit, on any data that fit."""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adyton.adapters.acvm import Acvm, Program
from adyton.adapters.installation import find_installation
from adyton.adapters.library import load_circuits
from adyton.crypto.hashing import FIELD_MODULUS
from adyton.model.value import FieldType
from adyton.proofs.account_ownership import Account, Accounts, OwnershipParameters
from adyton.proofs.balance_threshold import BalanceParameters, Balances
from adyton.proofs.binding import SECONDS_PER_DAY, Binding
from adyton.proofs.circuit import Circuit, Parameters, PrivateInputs
from adyton.proofs.credential_validity import Credential, CredentialParameters, Credentials
from adyton.proofs.credit_score import CreditParameters, CreditScore
from adyton.proofs.employment_status import EmploymentParameters, Position, Positions
from adyton.proofs.generic_predicate import GenericParameters, GenericValue, Mode
from adyton.proofs.income import IncomeParameters, Incomes
from adyton.proofs.predicates import Bounds
from adyton.proofs.transaction_pattern import Transaction, TransactionParameters, Transactions

# Not a timed test: a machine that is busy with something else must not turn it red.
pytestmark = pytest.mark.timeout(600)
examples = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
few_examples = settings(examples, max_examples=40)

# Most data should be near a bound: there is where two evaluations would differ.
I64 = st.one_of(
    st.sampled_from([-(2**63), -(2**63) + 1, -1, 0, 1, 2**63 - 2, 2**63 - 1]),
    st.integers(-5, 5),
    st.integers(-(2**63), 2**63 - 1),
)
DAYS = st.one_of(
    st.integers(19_995, 20_005), st.integers(-719_162, 2_932_896), st.sampled_from([0, -1, 1])
)
FIELDS = st.one_of(st.integers(1, 4), st.integers(1, FIELD_MODULUS - 1))
CURRENCIES = st.sampled_from(["USD", "EUR"])
TEXTS = st.sampled_from(["", "a", "b", "active"])
BINDINGS = st.builds(
    Binding,
    nonce=st.integers(0, FIELD_MODULUS - 1),
    data_source=st.integers(0, FIELD_MODULUS - 1),
    provider=st.integers(0, FIELD_MODULUS - 1),
    time=st.one_of(
        st.integers(19_999 * SECONDS_PER_DAY, 20_002 * SECONDS_PER_DAY - 1),
        st.sampled_from([0, SECONDS_PER_DAY - 1, 2**64 - 1]),
    ),
)


@st.composite
def bounds(draw: st.DrawFn, numbers: st.SearchStrategy[int]) -> Bounds:
    lower, upper = sorted((draw(numbers), draw(numbers)))
    return Bounds(lower=lower, upper=upper)


class Solver:
    """Executes circuits, and reads the answer where the circuit returns it."""

    def __init__(self, acvm: Acvm, circuits: dict[str, Circuit]) -> None:
        self._acvm, self._circuits = acvm, circuits
        self._programs = {
            name: Program.from_bytecode(circuit.bytecode) for name, circuit in circuits.items()
        }

    def check(self, binding: Binding, private: PrivateInputs, parameters: Parameters) -> None:
        """Fail unless circuit and plain evaluation agree, and the public inputs are those."""
        circuit, program = self._circuits[parameters.circuit], self._programs[parameters.circuit]
        inputs = circuit.witness_inputs(binding, parameters, private, salt=1)
        witness = self._acvm.execute(circuit.bytecode, inputs)
        outcome = circuit.check_public_inputs(
            witness.select(program.public_inputs), binding=binding, parameters=parameters
        )
        assert outcome.result is private.evaluate(binding)


@pytest.fixture(scope="module")
def solver(tmp_path_factory: pytest.TempPathFactory) -> Solver:
    found = find_installation(os.environ, home=Path.home())
    if found.solver is None:
        pytest.skip("the witness solver is not installed; run npm ci")
    acvm = Acvm.from_file(found.solver, tmp_path_factory.mktemp("compiled"))
    return Solver(acvm, dict(load_circuits(found.circuits)))


@examples
@given(
    binding=BINDINGS,
    limits=bounds(I64),
    currency=CURRENCIES,
    accounts=st.lists(st.tuples(I64, CURRENCIES), max_size=16),
)
def test_plain_code_and_circuit_agree_about_balances(
    solver: Solver,
    binding: Binding,
    limits: Bounds,
    currency: str,
    accounts: list[tuple[int, str]],
) -> None:
    parameters = BalanceParameters(currency=currency, bounds=limits)
    private = Balances(
        parameters=parameters,
        balances=tuple(balance for balance, _ in accounts),
        currencies=tuple(found for _, found in accounts),
    )
    solver.check(binding, private, parameters)


@examples
@given(
    binding=BINDINGS,
    limits=bounds(I64),
    currencies=st.tuples(CURRENCIES, CURRENCIES),
    data=st.tuples(st.lists(I64, min_size=1, max_size=12), st.sampled_from([None, 12])),
)
def test_plain_code_and_circuit_agree_about_incomes(
    solver: Solver,
    binding: Binding,
    limits: Bounds,
    currencies: tuple[str, str],
    data: tuple[list[int], int | None],
) -> None:
    # A yearly figure stands alone, for twelve months.
    incomes, months = data[0], data[1] or len(data[0])
    parameters = IncomeParameters(currency=currencies[0], bounds=limits, months=months)
    private = Incomes(parameters=parameters, paid_in=currencies[1], incomes=tuple(incomes))
    solver.check(binding, private, parameters)


@given(
    months=st.integers(1, 12), incomes=st.lists(st.integers(0, 10), min_size=12), offset=st.data()
)
@examples
def test_plain_code_and_circuit_agree_at_the_bound_exactly(
    solver: Solver, months: int, incomes: list[int], offset: st.DataObject
) -> None:
    """The yearly figure need not be whole; a bound below and one above must still differ."""
    year = sum(incomes[:months]) * 12
    limits = Bounds(
        lower=year // months + offset.draw(st.integers(-1, 1)),
        upper=-(-year // months) + offset.draw(st.integers(-1, 1)),
    )
    parameters = IncomeParameters(currency="USD", bounds=limits, months=months)
    private = Incomes(parameters=parameters, paid_in="USD", incomes=tuple(incomes[:months]))
    solver.check(Binding(nonce=1, data_source=2, provider=3, time=4), private, parameters)


@examples
@given(
    binding=BINDINGS,
    tenure=st.one_of(st.integers(0, 5), st.integers(0, 36_525)),
    positions=st.lists(
        st.builds(
            Position,
            start_day=DAYS,
            end_day=st.none() | DAYS,
            employer=st.none() | TEXTS,
        ),
        max_size=16,
    ),
)
def test_plain_code_and_circuit_agree_about_employment(
    solver: Solver, binding: Binding, tenure: int, positions: list[Position]
) -> None:
    parameters = EmploymentParameters(minimum_tenure_days=tenure)
    private = Positions(parameters=parameters, positions=tuple(positions))
    solver.check(binding, private, parameters)


@examples
@given(
    binding=BINDINGS,
    level=st.integers(0, 4),
    credentials=st.lists(
        st.builds(
            Credential,
            level=st.integers(0, 4),
            issued_day=st.none() | DAYS,
            expiry_day=st.none() | DAYS,
            holder=st.none() | TEXTS,
        ),
        max_size=8,
    ),
)
def test_plain_code_and_circuit_agree_about_credentials(
    solver: Solver, binding: Binding, level: int, credentials: list[Credential]
) -> None:
    parameters = CredentialParameters(minimum_level=level)
    private = Credentials(parameters=parameters, credentials=tuple(credentials))
    solver.check(binding, private, parameters)


@examples
@given(
    binding=BINDINGS,
    limits=bounds(st.one_of(st.integers(0, 65_535), st.integers(698, 702))),
    score=st.one_of(st.integers(0, 65_535), st.integers(698, 702)),
)
def test_plain_code_and_circuit_agree_about_credit_scores(
    solver: Solver, binding: Binding, limits: Bounds, score: int
) -> None:
    parameters = CreditParameters(bounds=limits)
    solver.check(binding, CreditScore(parameters=parameters, score=score), parameters)


@st.composite
def transactions(draw: st.DrawFn) -> tuple[TransactionParameters, Transactions]:
    last_day = draw(st.integers(750, 30_000))
    lookback = draw(st.one_of(st.integers(25, 100), st.integers(1, 750)))
    names = draw(st.lists(TEXTS, max_size=3, unique=True))
    parameters = TransactionParameters(
        categories=tuple(names),
        first_day=last_day - lookback + 1,
        last_day=last_day,
        currency="USD",
        minimum_credit=draw(st.sampled_from([1, 2, 2**63 - 1])),
        required_periods=draw(st.integers(0, min(3, lookback // 30))),
    )
    found = st.builds(
        Transaction,
        category=st.none() | TEXTS | st.integers(0, 58).map(str),
        # Every 30 days there is a border, and a credit on either side of it.
        day=st.one_of(
            st.integers(0, lookback - 1),
            st.sampled_from([age for age in (0, 29, 30, 59, 60, 89) if age < lookback]),
        ).map(lambda age: last_day - age),
        credit=st.sampled_from([0, 1, 2, 2**63 - 1]),
    )
    many = draw(st.lists(found, max_size=40)) * draw(st.sampled_from([1, 12]))
    return parameters, Transactions(parameters=parameters, transactions=tuple(many))


@few_examples
@given(binding=BINDINGS, question=transactions())
def test_plain_code_and_circuit_agree_about_transactions(
    solver: Solver, binding: Binding, question: tuple[TransactionParameters, Transactions]
) -> None:
    parameters, private = question
    solver.check(binding, private, parameters)


@examples
@given(
    binding=BINDINGS,
    asked=st.tuples(st.none() | FIELDS, st.none() | FIELDS).filter(any),
    accounts=st.lists(
        st.builds(
            Account,
            owners=st.lists(FIELDS, max_size=4).map(tuple),
            number=st.none() | FIELDS,
        ),
        max_size=8,
    ),
)
def test_plain_code_and_circuit_agree_about_ownership(
    solver: Solver,
    binding: Binding,
    asked: tuple[int | None, int | None],
    accounts: list[Account],
) -> None:
    parameters = OwnershipParameters(name=asked[0], number=asked[1])
    solver.check(binding, Accounts(parameters=parameters, accounts=tuple(accounts)), parameters)


@st.composite
def generic_values(draw: st.DrawFn) -> tuple[GenericParameters, GenericValue]:
    type_ = draw(st.sampled_from(list(FieldType)))
    numbers = st.integers(0, 1) if type_ is FieldType.BOOLEAN else I64
    values: st.SearchStrategy[int | str] = TEXTS if type_ is FieldType.STRING else numbers
    modes = [Mode.EXISTS] if type_ is FieldType.STRING else [Mode.EXISTS, Mode.WITHIN]
    if type_ is not FieldType.BOOLEAN:
        modes.append(Mode.ONE_OF)
    mode = draw(st.sampled_from(modes))
    elements = draw(st.lists(values, min_size=1, max_size=16, unique=True))
    parameters = GenericParameters(
        type=type_,
        mode=mode,
        bounds=draw(bounds(I64)),
        elements=tuple(elements) if mode is Mode.ONE_OF else (),
    )
    return parameters, GenericValue(parameters=parameters, value=draw(st.none() | values))


@examples
@given(binding=BINDINGS, question=generic_values())
def test_plain_code_and_circuit_agree_about_any_value(
    solver: Solver, binding: Binding, question: tuple[GenericParameters, GenericValue]
) -> None:
    parameters, private = question
    solver.check(binding, private, parameters)
