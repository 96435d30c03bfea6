"""Logs are events with fields; libraries' texts stay out of them."""

import io
import json
import logging
from collections.abc import Iterator

import pytest

from adyton.gateway import logs

MARKER = "marker-51c2"


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    root, ours = logging.getLogger(), logging.getLogger("adyton")
    before = (root.handlers[:], root.level, ours.level)
    stream = io.StringIO()
    logs.configure(stream)
    yield stream
    root.handlers[:], level, our_level = before
    root.setLevel(level)
    ours.setLevel(our_level)


def test_an_event_is_one_line_of_json(stream: io.StringIO) -> None:
    logging.getLogger("adyton.gateway").info("request", extra={"status": 200, "ms": 1.5})
    (line,) = stream.getvalue().splitlines()
    record = json.loads(line)
    assert (record["event"], record["status"], record["ms"]) == ("request", 200, 1.5)
    assert (record["level"], record["logger"]) == ("info", "adyton.gateway")
    assert record["time"].endswith("+00:00")


def test_a_librarys_text_is_left_out(stream: io.StringIO) -> None:
    library = logging.getLogger("sqlalchemy.pool")
    try:
        int(MARKER)
    except ValueError:
        library.exception("cannot bind %r", MARKER)
    library.error(MARKER, extra={"parameters": MARKER})
    assert MARKER not in stream.getvalue()
    first = json.loads(stream.getvalue().splitlines()[0])
    assert (first["event"], first["error_type"]) == ("library", "ValueError")


def test_a_field_of_no_json_type_shows_its_type_only(stream: io.StringIO) -> None:
    logging.getLogger("adyton.gateway").warning("odd", extra={"value": MARKER.encode()})
    assert json.loads(stream.getvalue())["value"] == "bytes"


def test_a_line_break_in_a_field_makes_no_second_line(stream: io.StringIO) -> None:
    logging.getLogger("adyton.gateway").warning("odd", extra={"code": 'a\n{"event": "forged"}'})
    assert len(stream.getvalue().splitlines()) == 1


def test_libraries_speak_from_warnings_on(stream: io.StringIO) -> None:
    logging.getLogger("uvicorn.error").info("started")
    assert stream.getvalue() == ""


def test_a_place_is_module_and_line() -> None:
    with pytest.raises(ValueError, match=MARKER) as caught:
        raise ValueError(MARKER)
    place = logs.place_of(caught.value)
    assert place.partition(":")[0].endswith("test_logs")
    assert MARKER not in place
