import json
from collections.abc import Mapping
from contextlib import suppress
from datetime import date
from urllib.parse import parse_qsl, unquote, urlsplit

import lxml.etree as et
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from tests.unit.sources.definitions import CREDENTIALS, GOOD, built_in, changed, loaded

from adyton.sources import Request, Window, load, render
from adyton.sources.credentials import CredentialMalformedError

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=200)
NASTY = st.sampled_from(
    [
        '"',
        '\\"',
        '", "admin": true, "x": "',
        "\\",
        "\r\nX-Injected: 1",
        "\n\n",
        "\0",
        "../../etc",
        "?x=1&y=2#z",
        "%00",
        "{{secret}}",
        "${secret}",
        "</systemPassword><x/>",
        "]]>",
        "&amp;",
        "\u2028",
        "\ufeff",
        "😀",
        "e\u0301",
    ]
)
ANY = st.one_of(TEXT, NASTY, st.tuples(TEXT, NASTY, TEXT).map("".join))

FORM = """\
id: form
name: Form
request:
  url: https://api.example.com/token
  method: POST
  headers: [["content-type", "application/x-www-form-urlencoded; charset=utf-8"]]
  body_template: "grant_type=password&user={{user}}&note=a+b"
  credentials: [{name: user, description: User, encrypted: true}]
extraction:
  response_type: Json
  fields: [{name: value, method: !JsonPath "$.a", data_type: String}]
predicates: [{name: p, predicate_type: Equal, fields: [value]}]
noir_circuit: generic_predicate
"""
GENERIC: Mapping[str, str] = {"url": "https://api.example.com/x", "method": "GET"}


def rendered(**credentials: str) -> Request:
    return render(loaded(), CREDENTIALS | credentials)


def test_a_request_has_every_value_in_its_place() -> None:
    request = rendered(token="tok", customer="c 1", page="2&x=3")
    assert request == Request(
        method="POST",
        host="api.bank.example",
        port=443,
        target="/v1/c%201/accounts?page=2%26x%3D3",
        headers=(("Content-Type", "application/json"), ("Authorization", "Bearer tok")),
        body=b'{"secret": "s", "year": 2024}',
    )


def test_a_request_shows_no_credential() -> None:
    shown = repr(rendered(token="marker-token", secret="marker-secret", customer="marker-id"))
    assert "marker" not in shown
    assert "api.bank.example" in shown


@given(ANY)
def test_text_in_a_json_string_is_that_text_and_nothing_else(text: str) -> None:
    body = rendered(secret=text).body
    assert json.loads(body) == {"secret": text, "year": 2024}
    assert body.isascii()


@given(ANY)
def test_text_in_a_url_leaves_host_path_and_query_as_they_are(text: str) -> None:
    with suppress(CredentialMalformedError):
        parts = urlsplit(rendered(customer=text).target)
        assert (parts.scheme, parts.netloc, parts.fragment) == ("", "", "")
        first, version, customer, last = parts.path.split("/")
        assert (first, version, unquote(customer), last) == ("", "v1", text, "accounts")
        assert customer not in {"", ".", ".."}
    parts = urlsplit(rendered(page=text).target)
    assert parts.path == "/v1/c/accounts"
    assert parse_qsl(parts.query, keep_blank_values=True) == [("page", text)]


@given(ANY)
@example("ok")
def test_text_in_a_header_is_one_visible_line_or_refused(text: str) -> None:
    visible = bool(text) and all("!" <= c <= "~" for c in text.replace(" ", "x"))
    if visible and text == text.strip():
        assert rendered(token=text).headers[1] == ("Authorization", f"Bearer {text}")
        assert len(rendered(token=text).headers) == 2
        return
    with pytest.raises(CredentialMalformedError, match="cannot stand in a header"):
        rendered(token=text)


@given(ANY)
def test_text_without_quotes_is_a_number_or_refused(text: str) -> None:
    with pytest.raises(CredentialMalformedError, match='"year" is not a number'):
        rendered(year=f"x{text}")


@pytest.mark.parametrize(
    "number", ["", "01", "1.", ".5", "1e3", "0x10", "+1", "1 ", "\uff11", "NaN", "-", "1,2", "true"]
)
def test_a_bare_value_is_a_plain_number(number: str) -> None:
    with pytest.raises(CredentialMalformedError, match="is not a number"):
        rendered(year=number)


@pytest.mark.parametrize("number", ["0", "-1", "2024", "1.50", "999999999999999999"])
def test_a_bare_number_stays_as_it_is(number: str) -> None:
    assert f'"year": {number}}}'.encode() in rendered(year=number).body


@given(ANY)
def test_text_in_a_form_is_one_value(text: str) -> None:
    body = render(load(FORM.encode(), file="form.yaml"), {"user": text}).body.decode()
    assert parse_qsl(body, keep_blank_values=True) == [
        ("grant_type", "password"),
        ("user", text),
        ("note", "a b"),
    ]


@given(ANY)
def test_text_in_xml_is_one_text(text: str) -> None:
    definition = built_in("transunion-credit")
    plain = dict.fromkeys((item.name for item in definition.request.credentials), "plain")
    try:
        body = render(definition, plain | {"last_name": text}).body
    except CredentialMalformedError as error:
        assert "holds a character that xml has not" in str(error)  # noqa: PT017
        assume(False)
    root = et.fromstring(body)
    names = "{http://www.transunion.com/namespace}"
    assert [element.text or "" for element in root.iter(f"{names}last")] == [text]
    empty = et.fromstring(render(definition, plain).body)
    assert [element.tag for element in root.iter()] == [element.tag for element in empty.iter()]


def test_a_character_that_xml_has_not_is_refused() -> None:
    definition = built_in("transunion-credit")
    plain = dict.fromkeys((item.name for item in definition.request.credentials), "plain")
    with pytest.raises(CredentialMalformedError, match='"ssn" holds a character'):
        render(definition, plain | {"ssn": "\x0c"})


@given(st.dictionaries(st.sampled_from(sorted(CREDENTIALS)), ANY))
def test_no_error_ever_repeats_a_credential(values: dict[str, str]) -> None:
    marked = {name: f"{text}MARKER" for name, text in values.items()}
    try:
        render(loaded(), CREDENTIALS | marked)
    except CredentialMalformedError as error:
        assert "MARKER" not in str(error)  # noqa: PT017


def test_a_missing_credential_is_named() -> None:
    with pytest.raises(CredentialMalformedError, match='the credential "year" is missing'):
        render(loaded(), {name: "1" for name in CREDENTIALS if name != "year"})


def test_an_unknown_credential_is_named() -> None:
    with pytest.raises(CredentialMalformedError, match='"other" is not one that the provider'):
        rendered(other="x")


@pytest.mark.parametrize(
    ("text", "reason"), [("x" * 16385, "has more than"), ("\ud800", "a lone surrogate")]
)
def test_text_that_no_request_can_hold_is_refused(text: str, reason: str) -> None:
    with pytest.raises(CredentialMalformedError, match=reason):
        rendered(secret=text)


@pytest.mark.parametrize("text", ["", ".", ".."])
def test_a_path_segment_cannot_vanish(text: str) -> None:
    with pytest.raises(CredentialMalformedError, match="cannot be a path segment"):
        rendered(customer=text)


def test_the_window_is_filled_by_the_worker() -> None:
    definition = built_in("plaid-transactions")
    values = {"access_token": "t", "client_id": "c", "secret": "s"}
    window = Window(first_day=date(2026, 1, 1), last_day=date(2026, 3, 31))
    body = json.loads(render(definition, values, window=window).body)
    assert (body["start_date"], body["end_date"]) == ("2026-01-01", "2026-03-31")
    with pytest.raises(CredentialMalformedError, match='"first_day" is not one that'):
        render(definition, values | {"first_day": "2026-03-30"}, window=window)
    with pytest.raises(ValueError, match="needs the window"):
        render(definition, values)


def test_a_window_does_no_harm_where_none_is_needed() -> None:
    window = Window(first_day=date(2026, 1, 1), last_day=date(2026, 3, 31))
    assert render(loaded(), CREDENTIALS, window=window) == render(loaded(), CREDENTIALS)


def test_braces_of_json_are_not_taken_for_placeholders() -> None:
    text = changed(
        '{"secret": "{{secret}}", "year": {{year}}}',
        '{"a": {"secret": "{{secret}}", "b": {"year": {{year}}}}}',
    )
    body = render(loaded(text), CREDENTIALS).body
    assert json.loads(body) == {"a": {"secret": "s", "b": {"year": 2024}}}


def test_a_template_may_use_a_credential_twice() -> None:
    text = changed('"year": {{year}}', '"again": "{{secret}}{{secret}}", "year": {{year}}')
    body = render(loaded(text), CREDENTIALS | {"secret": '"'}).body
    assert json.loads(body) == {"secret": '"', "again": '""', "year": 2024}


class TestGenericHttp:
    def test_the_whole_request_comes_from_credentials(self) -> None:
        request = render(
            built_in("generic-http"),
            {
                "url": "https://API.example.com:8443/a/b?c=d",
                "method": "POST",
                "headers": '{"Authorization": "Bearer x", "Accept": "*/*"}',
                "body": "\u00e4",
            },
        )
        assert request == Request(
            method="POST",
            host="api.example.com",
            port=8443,
            target="/a/b?c=d",
            headers=(("Authorization", "Bearer x"), ("Accept", "*/*")),
            body="\u00e4".encode(),
        )

    def test_headers_and_body_may_be_left_out(self) -> None:
        request = render(built_in("generic-http"), GENERIC)
        assert (request.headers, request.body) == ((), b"")

    @pytest.mark.parametrize(
        "url",
        [
            "http://api.example.com/",
            "ftp://api.example.com/",
            "https://",
            "https:///x",
            "//api.example.com/",
            "https://user:pass@api.example.com/",
            "https://good.example@evil.example/",
            "https://api.example.com\\@evil.example/",
            "https://api.example.com/#x",
            "https://api.example.com/a b",
            "https://api.example.com/\r\nX: y",
            "https://api.example.com/%zz",
            "https://api.example.com:0/",
            "https://api.example.com:65536/",
            "https://api.example.com:99999999/",
            "https://[::1]/",
            "https://api..example.com/",
            "https://-api.example.com/",
            "https://\u0430pi.example.com/",
            "https://api.example.com/\u00e4",
            "https://" + "a" * 254 + "/",
            "https://api.example.com/" + "a" * 8192,
            " https://api.example.com/",
            "",
        ],
    )
    def test_a_url_that_could_mean_two_things_is_refused(self, url: str) -> None:
        with pytest.raises(CredentialMalformedError, match='"url" is not a url') as caught:
            render(built_in("generic-http"), {**GENERIC, "url": url})
        assert "evil" not in str(caught.value)

    @pytest.mark.parametrize(
        ("url", "target"),
        [
            ("https://a.example", "/"),
            ("https://a.example?x=1", "/?x=1"),
            ("https://a.example/b//c/", "/b//c/"),
            ("https://localhost/x%20y", "/x%20y"),
        ],
    )
    def test_a_url_keeps_its_target(self, url: str, target: str) -> None:
        assert render(built_in("generic-http"), {**GENERIC, "url": url}).target == target

    @pytest.mark.parametrize(
        "headers",
        [
            "x",
            "[]",
            '"x"',
            '{"A": 1}',
            '{"A": null}',
            '{"A": ["x"]}',
            '{"A": "x", "A": "y"}',
            '{"A": "x", "a": "y"}',
            '{"A b": "x"}',
            '{"A:": "x"}',
            '{"": "x"}',
            '{"A": ""}',
            '{"A": "x\\r\\nB: y"}',
            '{"A": "x\\u0000"}',
            '{"A": " x"}',
            '{"A": "\u00e4"}',
            '{"Host": "evil.example"}',
            '{"content-length": "5"}',
            '{"Transfer-Encoding": "chunked"}',
            '{"Connection": "upgrade"}',
            '{"Proxy-Authorization": "x"}',
            '{"Upgrade": "h2c"}',
            '{"TE": "trailers"}',
            '{"Expect": "100-continue"}',
            json.dumps({f"X-{number}": "x" for number in range(65)}),
        ],
    )
    def test_headers_that_frame_or_forge_are_refused(self, headers: str) -> None:
        with pytest.raises(CredentialMalformedError, match="json object of headers"):
            render(built_in("generic-http"), {**GENERIC, "headers": headers})

    @pytest.mark.parametrize("method", ["get", "DELETE", "CONNECT", "GET /", "GET\r\n", ""])
    def test_other_methods_are_refused(self, method: str) -> None:
        with pytest.raises(CredentialMalformedError, match='"method" is not one of GET'):
            render(built_in("generic-http"), {**GENERIC, "method": method})

    @given(ANY)
    def test_any_url_is_read_or_refused(self, url: str) -> None:
        with suppress(CredentialMalformedError):
            request = render(built_in("generic-http"), {**GENERIC, "url": url})
            parts = urlsplit(url)
            assert parts.scheme == "https"
            assert parts.hostname == request.host

    @given(st.dictionaries(st.text(max_size=8), st.text(max_size=8), max_size=4))
    def test_any_headers_are_themselves_or_refused(self, headers: dict[str, str]) -> None:
        with suppress(CredentialMalformedError):
            request = render(built_in("generic-http"), {**GENERIC, "headers": json.dumps(headers)})
            assert dict(request.headers) == headers


def test_the_example_definition_is_the_one_that_is_tested() -> None:
    assert load(GOOD.encode(), file="x").id == "some-bank"
