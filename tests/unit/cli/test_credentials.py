"""Secrets come from files or stdin; on a command line they are taken under protest."""

import io
from pathlib import Path

import pytest

from adyton.cli.credentials import read_api_key, read_secrets
from adyton.cli.predicates import OptionMalformedError
from adyton.errors import MalformedError
from adyton.model.question import TOKEN_LOCATION
from adyton.sdk.files import FileUnreadableError

MARKER = "a-secret-that-nobody-may-see"


def file(tmp_path: Path, content: str | bytes, name: str = "token") -> Path:
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def no_warning(text: str) -> None:
    pytest.fail(text)


def test_a_lone_token_goes_where_rfc_0023_has_it(tmp_path: Path) -> None:
    path = file(tmp_path, f"{MARKER}\n")
    found = read_secrets(path, [], provider="yodlee-balance", warn=no_warning)
    assert found.places == {TOKEN_LOCATION: MARKER}
    assert found.marks == {"encrypted_access_token": "encrypted:"}
    assert found.credentials == {}


def test_a_token_file_may_hold_all_credentials(tmp_path: Path) -> None:
    path = file(tmp_path, '{"access_token": "a", "secret": "s"}')
    found = read_secrets(path, ["client_id=me"], provider="plaid-balance", warn=no_warning)
    assert found.credentials == {"access_token": "a", "secret": "s", "client_id": "me"}
    assert not found.places


def test_a_token_beside_others_is_the_first_sealed_credential(tmp_path: Path) -> None:
    path = file(tmp_path, "a")
    secret = file(tmp_path, MARKER, "secret")
    found = read_secrets(
        path, ["client_id=me", f"secret=@{secret}"], provider="plaid-balance", warn=no_warning
    )
    assert found.credentials == {"access_token": "a", "client_id": "me", "secret": MARKER}


def test_a_token_beside_others_of_an_unknown_provider_needs_its_name(tmp_path: Path) -> None:
    with pytest.raises(OptionMalformedError, match="needs its name"):
        read_secrets(file(tmp_path, "a"), ["x=y"], provider="my-bank", warn=lambda _: None)


def test_a_token_may_come_from_stdin(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"from-stdin\n")))
    found = read_secrets(Path("-"), [], provider=None, warn=no_warning)
    assert found.places == {TOKEN_LOCATION: "from-stdin"}


def test_a_secret_on_the_command_line_is_warned_about_and_not_repeated() -> None:
    said: list[str] = []
    read_secrets(None, [f"secret={MARKER}"], provider="plaid-balance", warn=said.append)
    assert "use secret=@FILE" in said[0]
    assert MARKER not in said[0]


def test_of_an_unknown_provider_everything_is_taken_for_secret() -> None:
    said: list[str] = []
    read_secrets(None, ["client_id=me"], provider="my-bank", warn=said.append)
    assert len(said) == 1


def test_a_place_of_its_own_is_a_json_pointer(tmp_path: Path) -> None:
    path = file(tmp_path, MARKER)
    pointer = "/provider/headers/Authorization"
    found = read_secrets(None, [f"{pointer}=@{path}"], provider=None, warn=no_warning)
    assert found.places == {pointer: MARKER}
    assert not found.marks


@pytest.mark.parametrize("option", [MARKER, f"={MARKER}", ""])
def test_a_malformed_credential_is_not_repeated(option: str) -> None:
    with pytest.raises(OptionMalformedError) as caught:
        read_secrets(None, [option], provider=None, warn=no_warning)
    assert MARKER not in str(caught.value)


@pytest.mark.parametrize(
    "content",
    [
        f'{{"access_token": "{MARKER}"',
        f'{{"access_token": ["{MARKER}"]}}',
        MARKER.encode() + b"\xff",
        "",
        "\n",
        MARKER * 10_000,
    ],
)
def test_a_broken_token_file_is_malformed_and_not_repeated(
    tmp_path: Path, content: str | bytes
) -> None:
    with pytest.raises(MalformedError) as caught:
        read_secrets(file(tmp_path, content), [], provider=None, warn=no_warning)
    error: BaseException | None = caught.value
    while error is not None:
        assert MARKER not in str(error)
        error = error.__cause__


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileUnreadableError, match="nowhere"):
        read_secrets(tmp_path / "nowhere", [], provider=None, warn=no_warning)


def test_secrets_are_hidden_from_repr(tmp_path: Path) -> None:
    found = read_secrets(file(tmp_path, MARKER), [], provider=None, warn=no_warning)
    assert MARKER not in repr(found)


def test_the_api_key_comes_from_a_file_or_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ADYTON_API_KEY", "adk_environment")
    assert read_api_key(file(tmp_path, "adk_file\n")) == "adk_file"
    assert read_api_key(None) == "adk_environment"
    monkeypatch.delenv("ADYTON_API_KEY")
    with pytest.raises(OptionMalformedError, match="adyton keys create"):
        read_api_key(None)


def test_an_api_key_of_two_lines_is_none(tmp_path: Path) -> None:
    with pytest.raises(OptionMalformedError, match="not a line"):
        read_api_key(file(tmp_path, "adk_a\nX-Header: b"))
