"""What an assistant may do, and what it cannot be made to do; by the protocol's own client."""

import json
import os
import socket
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import httpx
import pytest
from mcp import Client, StdioServerParameters, stdio_client
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from tests.fakes.proofs import FakeNotary

from adyton.cli import assistant_server
from adyton.cli.app import run
from adyton.cli.assistant import Assistant
from adyton.cli.assistant_server import McpMissingError, guarded, make_server
from adyton.cli.exits import NO_ANSWER, YES

DATA = b"what is committed"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    inside = tmp_path / "inside"
    inside.mkdir()
    (inside / "file").write_bytes(DATA)
    (inside / "file2").write_bytes(DATA)
    (inside / "file2.proof.json").write_bytes(FakeNotary().commit(DATA))
    (inside / "link").symlink_to(tmp_path / "secret")
    (tmp_path / "secret").write_bytes(b"secret")
    return inside


def assistant(folder: Path, **changes: Any) -> Assistant:
    fields: dict[str, Any] = {
        "url": "http://127.0.0.1:1",
        "api_key": "key",
        "ca_file": None,
        "folder": folder,
        "policy": None,
        **changes,
    }
    return Assistant(**fields)


async def called(made: Assistant, tool: str, **arguments: Any) -> tuple[bool, Any]:
    """Return whether the call went well, and its structured answer or its text."""
    async with Client(make_server(made)) as client:
        result = await client.call_tool(tool, arguments)
    if result.is_error:
        return False, result.content[0].text  # type: ignore[union-attr]  # errors are text
    return True, result.structured_content


async def test_the_tools_are_those_four(folder: Path) -> None:
    async with Client(make_server(assistant(folder))) as client:
        tools = (await client.list_tools()).tools
    assert [tool.name for tool in tools] == [
        "commit_text",
        "commit_file",
        "verify_proof",
        "ask_question",
    ]
    assert all(tool.description and "self" not in str(tool.input_schema) for tool in tools)


@pytest.mark.parametrize(
    ("about", "holds"),
    [({"path": "file"}, True), ({"text": DATA.decode()}, True), ({"text": "other"}, False)],
)
async def test_a_proof_in_a_file_is_judged(
    folder: Path,
    about: dict[str, str],
    holds: bool,  # noqa: FBT001
) -> None:
    is_good, answer = await called(
        assistant(folder), "verify_proof", proof_path="file2.proof.json", **about
    )
    assert is_good
    assert answer["holds"] is holds
    assert answer["verdict"]["subject"] == "commit"


async def test_a_proof_as_it_is_is_judged(folder: Path) -> None:
    proof = json.loads(FakeNotary().commit(DATA))
    good, answer = await called(assistant(folder), "verify_proof", proof=proof, text=DATA.decode())
    assert good
    assert answer["holds"]


@pytest.mark.parametrize("path", ["../secret", "link", "/etc/hostname", "nothing", ".", "a\0b"])
async def test_no_argument_leaves_the_folder(folder: Path, path: str) -> None:
    texts = set()
    for tool, arguments in (
        ("commit_file", {"path": path}),
        ("verify_proof", {"proof_path": path}),
        ("verify_proof", {"proof_path": "file2.proof.json", "path": path}),
    ):
        is_good, text = await called(assistant(folder), tool, **arguments)
        assert not is_good
        texts.add(text.partition(": ")[2] or text)
    assert len(texts) == 1
    assert "(file-outside)" in texts.pop()


@pytest.mark.parametrize(
    ("tool", "arguments", "code"),
    [
        ("commit_file", {"path": "file2"}, "proof-there"),
        ("commit_file", {"path": "file"}, "gateway-unavailable"),
        ("commit_text", {"text": "x"}, "gateway-unavailable"),
        ("verify_proof", {}, "malformed"),
        ("verify_proof", {"proof_path": "file"}, "malformed"),
        ("verify_proof", {"proof": {}, "proof_path": "file"}, "malformed"),
        ("verify_proof", {"proof": {}, "path": "file", "text": "x"}, "malformed"),
        ("ask_question", {"endpoint": "balance", "predicate": {}}, "not-configured"),
    ],
)
async def test_what_cannot_be_done_is_said_with_its_code(
    folder: Path, tool: str, arguments: dict[str, Any], code: str
) -> None:
    is_good, text = await called(assistant(folder), tool, **arguments)
    assert not is_good
    assert f"({code})" in text
    assert not (folder / "file.proof.json").exists()


async def test_without_a_key_nothing_is_committed(folder: Path) -> None:
    is_good, text = await called(assistant(folder, api_key=""), "commit_text", text="x")
    assert not is_good
    assert "(not-configured)" in text


@pytest.mark.parametrize(
    ("tool", "arguments", "problem"),
    [
        ("ask_question", {"endpoint": "balance"}, "predicate is missing"),
        ("commit_text", {"text": ["s3cret"]}, "text is of another type"),
    ],
)
async def test_arguments_that_are_not_a_tools_are_named_in_our_words(
    folder: Path, tool: str, arguments: dict[str, Any], problem: str
) -> None:
    is_good, text = await called(assistant(folder), tool, **arguments)
    assert not is_good
    assert text == f"the arguments are not those of {tool}: {problem} (malformed)"


async def test_a_tool_that_is_none_is_an_error(folder: Path) -> None:
    is_good, _ = await called(assistant(folder), "nothing")
    assert not is_good


async def test_the_server_says_which_version_it_is(folder: Path) -> None:
    async with Client(make_server(assistant(folder))) as client:
        assert client.server_info is not None
        assert client.server_info.version == version("adyton")


def test_a_port_that_is_taken_is_said_before_any_token(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert run(["mcp", "--folder", str(folder), "--http", str(port)]) == NO_ANSWER
    said = capsys.readouterr().err
    assert "(address-unavailable)" in said
    assert "--http" in said
    assert "Bearer" not in said


@pytest.mark.parametrize("has_policy", [False, True], ids=["alone", "beside-serve"])
def test_what_will_be_refused_is_said_at_the_start(
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    has_policy: bool,  # noqa: FBT001
) -> None:
    monkeypatch.setenv("ADYTON_STATE_DIR", str(tmp_path))
    for name in ("ADYTON_POLICY", "ADYTON_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    if has_policy:
        assert run(["policy", "init", "--out", str(tmp_path / "policy.yaml")]) == YES
    with socket.create_server(("127.0.0.1", 0)) as taken:
        run(["mcp", "--folder", str(folder), "--http", str(taken.getsockname()[1])])
    said = capsys.readouterr().err
    assert "commit_text and commit_file will refuse: give --api-key-file" in said
    assert "ask_question will refuse: give" in said
    assert "--token-file" in said
    assert ("--policy" in said) is not has_policy


async def test_the_command_serves_on_stdio(folder: Path) -> None:
    command = StdioServerParameters(
        command=sys.executable,
        args=["-m", "adyton.cli", "mcp", "--folder", str(folder)],
        env={"PATH": os.environ["PATH"], "HOME": str(folder)},
    )
    async with Client(stdio_client(command)) as client:
        result = await client.call_tool(
            "verify_proof", {"proof_path": "file2.proof.json", "path": "file"}
        )
    assert result.structured_content is not None
    assert result.structured_content["holds"] is True


async def test_http_is_for_holders_of_the_token() -> None:
    async def page(_request: object) -> PlainTextResponse:
        return PlainTextResponse("in")

    app = guarded(Starlette(routes=[Route("/", page)]), "token")
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://x") as http:
        for header in ({}, {"Authorization": "Bearer other"}, {"Authorization": "token"}):
            assert (await http.get("/", headers=header)).status_code == 401
        good = await http.get("/", headers={"Authorization": "Bearer token"})
        assert good.text == "in"


def test_without_the_package_the_error_says_how_to_get_it(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "mcp.server.mcpserver", None)
    with pytest.raises(McpMissingError, match=r"pip install '\.\[mcp\]'"):
        make_server(assistant(folder))


def test_the_server_is_imported_without_the_package() -> None:
    assert "from mcp" not in Path(str(assistant_server.__file__)).read_text().split("TYPE_")[0]
