"""``adyton mcp`` as an assistant has it: on stdio and on HTTP, against all processes."""

import asyncio
import json
import os
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
from mcp import Client, StdioServerParameters, stdio_client
from mcp.client.streamable_http import streamable_http_client

from adyton import verify
from adyton.cli.local import LocalStack
from adyton.model.receipt import Receipt

MARKER = "sandbox-good.mark3r"
TOKEN = "an-assistants-token"


@pytest.fixture(scope="module")
def stack() -> Iterator[LocalStack]:
    with LocalStack(notary=True, ADYTON_BUDGET="1000") as running:
        yield running


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "documents"
    made.mkdir()
    (made / "file").write_bytes(b"what is committed")
    secret = {"access_token": MARKER, "client_id": "me", "secret": "s"}
    (tmp_path / "token.json").write_text(json.dumps(secret))
    return made


@pytest.fixture
def command(stack: LocalStack, folder: Path) -> StdioServerParameters:
    return StdioServerParameters(
        command=sys.executable,
        args=[
            *("-m", "adyton.cli", "mcp", "--url", stack.url, "--folder", str(folder)),
            *("--policy", str(stack.state / "policy.yaml")),
            *("--token-file", str(folder.parent / "token.json")),
        ],
        env={**os.environ, "ADYTON_API_KEY": stack.api_key, "ADYTON_MCP_TOKEN": TOKEN},
    )


async def told(client: Client, tool: str, **arguments: Any) -> dict[str, Any]:
    result = await client.call_tool(tool, arguments)
    assert not result.is_error, result.content
    assert MARKER not in str(result)
    assert result.structured_content is not None
    return dict(result.structured_content)


async def test_an_assistant_asks_commits_and_verifies(
    command: StdioServerParameters, folder: Path, stack: LocalStack
) -> None:
    async with Client(stdio_client(command)) as client:
        answer = await told(
            client,
            "ask_question",
            endpoint="balance",
            predicate={"type": "gte", "threshold": 10000},
            provider="plaid-balance",
        )
        file = await told(client, "commit_file", path="file")
        text = await told(client, "commit_text", text="a text")
        judged = [
            await told(client, "verify_proof", proof_path=file["proof_path"], path="file"),
            await told(client, "verify_proof", proof=text["proof"], text="a text"),
        ]
    assert answer["answer"] is True
    receipt = (folder / answer["receipt_path"]).read_bytes()
    nonce = Receipt.from_bytes(receipt).statement.question.nonce
    assert verify(receipt, policy=stack.policy, nonce=nonce).answer is True
    assert int(text["counter"]) == int(file["counter"]) + 1
    assert all(one["holds"] for one in judged)
    assert verify(folder / "file.proof.json", file=folder / "file").accepted


@asynccontextmanager
async def serving(command: StdioServerParameters, port: int) -> AsyncIterator[str]:
    process = await asyncio.create_subprocess_exec(
        *(command.command, *command.args, "--http", str(port)),
        env=command.env,
        stderr=subprocess.DEVNULL,
    )
    try:
        for _ in range(300):
            try:
                socket.create_connection(("127.0.0.1", port), 0.1).close()
                break
            except OSError:
                await asyncio.sleep(0.1)
        yield f"http://127.0.0.1:{port}/mcp"
    finally:
        process.terminate()
        await process.wait()


async def test_http_serves_whoever_has_the_token(command: StdioServerParameters) -> None:
    with socket.create_server(("127.0.0.1", 0)) as found:
        port = found.getsockname()[1]
    async with serving(command, port) as url:
        headers = {"Authorization": f"Bearer {TOKEN}"}
        async with httpx2.AsyncClient(headers=headers) as http:
            transport = streamable_http_client(url, http_client=http)
            async with Client(transport) as client:
                made = await told(client, "commit_text", text="over http")
        assert made["proof"]["version"] == "provenclave/1"
        async with httpx2.AsyncClient() as http:
            assert (await http.post(url, json={})).status_code == 401
            # A page that a browser was led to by another name.
            pages = {**headers, "Host": "evil.example", "Origin": "https://evil.example"}
            assert (await http.post(url, json={}, headers=pages)).status_code in {403, 421}
