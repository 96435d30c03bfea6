"""Which addresses are a gateway's, and when somebody may read an API key on its way."""

import pytest

from adyton.cli.contact import check_url, talk
from adyton.cli.predicates import OptionMalformedError

PLAIN = "http://gateway.example"
WARNING = "warning: the API key goes over the network in the clear; use https\n"


@pytest.mark.parametrize("url", ["", "gateway.example", "ftp://gateway.example", "https://"])
def test_what_is_no_address_of_a_gateway_is_refused(url: str) -> None:
    with pytest.raises(OptionMalformedError, match="--url"):
        check_url(url)
    with pytest.raises(OptionMalformedError, match="--url"):
        talk(url, None, lambda _gateway: None)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        (PLAIN, WARNING),
        ("https://gateway.example", ""),
        ("http://127.0.0.1:8423", ""),
        ("http://[::1]:8423", ""),
    ],
)
def test_a_key_that_others_can_read_on_its_way_is_warned_of(
    url: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    check_url(url)
    assert capsys.readouterr().err == said


def test_a_command_without_a_key_warns_of_none(capsys: pytest.CaptureFixture[str]) -> None:
    assert talk(PLAIN, None, lambda _gateway: "what it said") == "what it said"
    assert capsys.readouterr().err == ""
