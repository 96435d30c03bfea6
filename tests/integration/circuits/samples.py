"""For each circuit a question that is answered with yes and one with no, over made-up data."""

from dataclasses import dataclass, replace

from adyton.model.value import DataSource, FieldType
from adyton.proofs.account_ownership import (
    Account,
    Accounts,
    OwnershipParameters,
    name_hash,
    number_hash,
)
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

TODAY = 20_000
SALT = 0x5EC2E7

BINDING = Binding.of(
    nonce="asked once",
    audience="a lender",
    source=DataSource(name="plaid", institution="ins_109508"),
    provider_digest=bytes(range(32)),
    time=TODAY * SECONDS_PER_DAY + 40_000,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """Parameters, and data for which the answer is yes, and no."""

    parameters: Parameters
    yes: PrivateInputs
    no: PrivateInputs

    def data(self, *, answer: bool) -> PrivateInputs:
        return self.yes if answer else self.no


def inputs(circuit: Circuit, sample: Sample, *, answer: bool, salt: int = SALT) -> dict[int, int]:
    """Inputs of ``circuit`` by witness index."""
    data = sample.data(answer=answer)
    return circuit.witness_inputs(BINDING, sample.parameters, data, salt=salt)


def _balance() -> Sample:
    parameters = BalanceParameters(currency="USD", bounds=Bounds(lower=1_000_000, upper=2**63 - 1))
    yes = Balances(
        parameters=parameters,
        balances=(-500, 1_000_000, 9_000_000),
        currencies=("USD", "USD", "EUR"),
    )
    return Sample(
        parameters=parameters, yes=yes, no=replace(yes, balances=(-500, 999_999, 9_000_000))
    )


def _income() -> Sample:
    parameters = IncomeParameters(
        currency="USD", bounds=Bounds(lower=5_000_000, upper=9_000_000), months=3
    )
    yes = Incomes(parameters=parameters, paid_in="USD", incomes=(450_000, 0, 800_000))
    return Sample(parameters=parameters, yes=yes, no=replace(yes, incomes=(449_999, 0, 800_000)))


def _employment() -> Sample:
    parameters = EmploymentParameters(minimum_tenure_days=365)
    ended = Position(start_day=-400, end_day=TODAY - 1, employer="Initech")
    begun = Position(start_day=TODAY - 365, end_day=TODAY, employer="Initrode")
    return Sample(
        parameters=parameters,
        yes=Positions(parameters=parameters, positions=(ended, begun)),
        no=Positions(parameters=parameters, positions=(ended,)),
    )


def _credential() -> Sample:
    parameters = CredentialParameters(minimum_level=2)
    bachelors = Credential(level=2, issued_day=-10, expiry_day=None, holder="Ada")
    licence = Credential(level=4, issued_day=TODAY, expiry_day=TODAY - 1, holder="Ada")
    return Sample(
        parameters=parameters,
        yes=Credentials(parameters=parameters, credentials=(licence, bachelors)),
        no=Credentials(parameters=parameters, credentials=(licence,)),
    )


def _credit() -> Sample:
    parameters = CreditParameters(bounds=Bounds(lower=700, upper=65_535))
    return Sample(
        parameters=parameters,
        yes=CreditScore(parameters=parameters, score=700),
        no=CreditScore(parameters=parameters, score=699),
    )


def _transactions() -> Sample:
    parameters = TransactionParameters(
        categories=("gambling", "7995"),
        first_day=TODAY - 89,
        last_day=TODAY,
        currency="USD",
        minimum_credit=250_000,
        required_periods=3,
    )
    salaries = tuple(
        Transaction(category="INCOME_WAGES", day=TODAY - 15 - 30 * period, credit=250_000)
        for period in range(3)
    )
    lunch = Transaction(category="FOOD_AND_DRINK", day=TODAY, credit=0)
    bet = Transaction(category="7995", day=TODAY - 89, credit=0)
    return Sample(
        parameters=parameters,
        yes=Transactions(parameters=parameters, transactions=(*salaries, lunch)),
        no=Transactions(parameters=parameters, transactions=(*salaries, bet)),
    )


def _ownership() -> Sample:
    salt = "5f" * 16
    parameters = OwnershipParameters(
        name=name_hash(salt, "Ada Lovelace"), number=number_hash(salt, "DE02 1203 0000")
    )
    hers = Account(
        owners=(name_hash(salt, "Charles Babbage"), name_hash(salt, "ADA  lovelace")),
        number=number_hash(salt, "de02-12030000"),
    )
    his = Account(owners=(name_hash(salt, "Charles Babbage"),), number=hers.number)
    also_hers = Account(owners=hers.owners, number=number_hash(salt, "DE02 9999"))
    return Sample(
        parameters=parameters,
        yes=Accounts(parameters=parameters, accounts=(his, hers)),
        # The name is one account's, and the number another's.
        no=Accounts(parameters=parameters, accounts=(his, also_hers)),
    )


def _generic() -> Sample:
    parameters = GenericParameters(
        type=FieldType.STRING,
        mode=Mode.ONE_OF,
        bounds=Bounds(lower=-(2**63), upper=2**63 - 1),
        elements=("active", "on leave"),
    )
    return Sample(
        parameters=parameters,
        yes=GenericValue(parameters=parameters, value="active"),
        no=GenericValue(parameters=parameters, value="terminated"),
    )


SAMPLES = {
    sample.parameters.circuit: sample
    for sample in (
        _balance(),
        _income(),
        _employment(),
        _credential(),
        _credit(),
        _transactions(),
        _ownership(),
        _generic(),
    )
}
