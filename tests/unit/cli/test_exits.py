"""Every error has one exit code and one line; what nobody foresaw says nothing of its text."""

import pytest
import typer

from adyton.adapters.installation import ProverMissingError
from adyton.cli.exits import NO, NO_ANSWER, USAGE, exit_code, report
from adyton.cli.predicates import OptionMalformedError
from adyton.errors import AdytonError, MalformedError, RejectedError, UnavailableError
from adyton.gateway.problems import ScopeRejectedError
from adyton.sdk.transport import GatewayMalformedError, GatewayRejectedError


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (MalformedError("no"), USAGE),
        (RejectedError("no"), NO),
        (UnavailableError("no"), NO_ANSWER),
        (AdytonError("no"), NO_ANSWER),
        (typer.BadParameter("no"), USAGE),
        (ProverMissingError(what="bb", setting="ADYTON_BB"), NO_ANSWER),
        (KeyError("no"), NO_ANSWER),
        (GatewayRejectedError(status=403, code="budget-exhausted", message="no"), NO),
        (GatewayRejectedError(status=401, code="unauthenticated", message="no"), USAGE),
        (GatewayRejectedError(status=403, code="scope-missing", message="no"), USAGE),
        (GatewayRejectedError(status=403, code="provider-unknown", message="no"), USAGE),
        (GatewayRejectedError(status=403, code="source-refused", message="no"), NO),
        (GatewayMalformedError(status=404, code="stamp-unknown", message="no"), NO_ANSWER),
    ],
)
def test_an_error_has_the_code_of_its_family_unless_nothing_was_asked(
    error: Exception, code: int
) -> None:
    assert exit_code(error) == code


def test_an_error_is_one_line_with_its_code(capsys: pytest.CaptureFixture[str]) -> None:
    assert report(MalformedError("first\nsecond")) == USAGE
    assert capsys.readouterr().err == "error: first second (malformed)\n"


def test_a_gateways_code_is_not_repeated(capsys: pytest.CaptureFixture[str]) -> None:
    report(GatewayRejectedError(status=401, code="unauthenticated", message="who are you"))
    out = capsys.readouterr().err.splitlines()
    assert out[0] == "error: who are you (unauthenticated)"
    assert "adyton keys create" in out[1]


def test_the_scope_that_a_key_lacks_is_in_the_command_that_makes_another(
    capsys: pytest.CaptureFixture[str],
) -> None:
    said = ScopeRejectedError(scope="commit")
    report(GatewayRejectedError(status=403, code=said.code, message=str(said)))
    out = capsys.readouterr().err.splitlines()
    assert out[1].strip().endswith("adyton keys create --name NAME --scope commit")


def test_a_usage_error_names_the_help_of_its_command(capsys: pytest.CaptureFixture[str]) -> None:
    report(OptionMalformedError("no"), command="adyton log prove")
    assert capsys.readouterr().err == "error: no (usage)\n  see: adyton log prove --help\n"


def test_what_the_command_knows_beside_an_error_is_its_advice(
    capsys: pytest.CaptureFixture[str],
) -> None:
    error = GatewayMalformedError(status=400, code="credential-malformed", message="no")
    error.add_note("the provider is plaid-balance")
    assert report(error) == USAGE
    assert capsys.readouterr().err.splitlines()[1:] == ["  the provider is plaid-balance"]


def test_an_error_that_nobody_foresaw_keeps_its_text_to_itself(
    capsys: pytest.CaptureFixture[str],
) -> None:
    try:
        _ = dict[str, str]()["secret"]
    except KeyError as error:
        report(error)
    out = capsys.readouterr().err
    assert "KeyError" in out
    assert "test_exits" in out
    assert "secret" not in out


def test_a_strangers_text_cannot_steer_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    report(RejectedError("\x1b[2J[bold]boo[/bold]"))
    out = capsys.readouterr().err
    assert "\x1b" not in out
    assert "[bold]boo[/bold]" in out
