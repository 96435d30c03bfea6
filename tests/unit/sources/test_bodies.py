import json

import pytest

from adyton.errors import MalformedError
from adyton.sources.bodies import check_body, render_body
from adyton.sources.definition import BodyKind


@pytest.mark.parametrize(
    "template",
    [
        '{"a": "{{x}}"}',
        '{"a": "before {{x}} after"}',
        '{"a": "{{x}}{{y}}"}',
        '{"a": ["{{x}}", {{y}}, {"b": null}]}',
        '"{{x}}"',
        '{"a": "\\\\{{x}}\\\\"}',
        '{"a": "\\"{{x}}\\""}',
        '{"x0x": "{{x}}"}',
        "[1, {{x}}]",
    ],
)
def test_a_value_may_stand_wherever_json_has_values(template: str) -> None:
    check_body(template, BodyKind.JSON)
    assert json.loads(render_body(template, BodyKind.JSON, {"x": "1", "y": "2"})) is not None


@pytest.mark.parametrize(
    "template",
    [
        '{"{{x}}": 1}',
        '{"a{{x}}": 1}',
        '{"a": {{x}}{{y}}}',
        '{"a": -{{x}}}',
        '{"a": {{x}}0}',
        '{"a": "\\{{x}}"}',
        '{"a": "\\u12{{x}}"}',
        '{"a": "\\ud83d{{x}}"}',
        '{"a": {{x}}, "a": 1}',
        '{"a": "{{x}}}',
        "{{x}} {{y}}",
        '{"a": "x0x", "b": "{{x}}"}',
        '{"a": /* {{x}} */ 1}',
    ],
)
def test_a_value_may_stand_nowhere_else_in_json(template: str) -> None:
    with pytest.raises(MalformedError):
        check_body(template, BodyKind.JSON)


@pytest.mark.parametrize(
    "template",
    ["<a>{{x}}</a>", "<a b='{{x}}'/>", '<a b="1 {{x}}">2 {{y}}</a>', "<a><b/>{{x}}<c/></a>"],
)
def test_a_value_may_stand_in_the_text_and_the_attributes_of_xml(template: str) -> None:
    check_body(template, BodyKind.XML)
    rendered = render_body(template, BodyKind.XML, {"x": "'\"<>&", "y": "\t\r\n"}).decode()
    assert "&apos;&quot;&lt;&gt;&amp;" in rendered
    assert ("&#9;&#13;&#10;" in rendered) == ("{{y}}" in template)


@pytest.mark.parametrize(
    "template",
    [
        "<a{{x}}/>",
        "<{{x}}/>",
        "<a {{x}}='1'/>",
        "<a><!-- {{x}} --></a>",
        "<a><?{{x}} ?></a>",
        "<a><?pi {{x}}?></a>",
        "<a><![CDATA[{{x}}]]></a>",
        "<!DOCTYPE {{x}}><a/>",
        "<?xml version='1.0' encoding='{{x}}'?><a/>",
        "<a xmlns='{{x}}'/>",
        "<a>x0x</a>{{x}}",
        "{{x}}<a/>",
        "<a>&{{x}};</a>",
        "<a>&#{{x}};</a>",
    ],
)
def test_a_value_may_stand_nowhere_else_in_xml(template: str) -> None:
    with pytest.raises(MalformedError):
        check_body(template, BodyKind.XML)


@pytest.mark.parametrize("template", ["a={{x}}&b=1", "a=%20{{x}}", "{{x}}"])
def test_a_form_is_what_a_browser_would_send(template: str) -> None:
    check_body(template, BodyKind.FORM)


@pytest.mark.parametrize("template", ["a=b c&d={{x}}", "a={{x}}\n", "a=%2{{x}}", "ä={{x}}"])
def test_a_form_has_no_other_characters(template: str) -> None:
    with pytest.raises(MalformedError, match="not a form"):
        check_body(template, BodyKind.FORM)


def test_a_whole_body_is_sent_as_it_is() -> None:
    check_body("{{x}}", BodyKind.WHOLE)
    assert render_body("{{x}}", BodyKind.WHOLE, {"x": '{"ä": 1}'}) == '{"ä": 1}'.encode()
