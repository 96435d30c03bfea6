"""``adyton mcp``: the assistant's tools over the Model Context Protocol, on stdio or HTTP.

The protocol's package is an extra: it is imported when the server is made.
"""

import functools
import hmac
import secrets
import socket
from collections.abc import Awaitable, Callable
from contextlib import suppress
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Final, ParamSpec

import uvicorn
from pydantic import ValidationError
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from adyton.cli.assistant import Assistant
from adyton.cli.processes import PortTakenError
from adyton.cli.terminal import notes
from adyton.errors import AdytonError, UnavailableError

if TYPE_CHECKING:
    from mcp.server.mcpserver import MCPServer

__all__ = ["McpMissingError", "guarded", "make_server", "serve_http", "serve_stdio"]

_HOST: Final = "127.0.0.1"
_TOKEN_SIZE: Final = 24
_Parameters = ParamSpec("_Parameters")
_Tool = Callable[_Parameters, Awaitable[dict[str, Any]]]
_INSTRUCTIONS: Final = (
    "Adyton commits digests of texts and files to a notary, verifies its proofs, and answers"
    " yes-or-no questions about private data without showing them. A proof says that bytes existed"
    " at a number in one order; it does not say that they are true."
)


class McpMissingError(UnavailableError):
    """The package of the Model Context Protocol is not installed."""

    code = "mcp-missing"

    def __init__(self) -> None:
        super().__init__("the Model Context Protocol's package is missing: pip install '.[mcp]'")


def make_server(assistant: Assistant) -> "MCPServer":
    """Return a server with the tools of ``assistant``; ``McpMissingError`` without the package."""
    try:
        from mcp.server.mcpserver import MCPServer  # noqa: PLC0415
        from mcp.server.mcpserver.exceptions import ToolError  # noqa: PLC0415
    except ImportError as error:
        raise McpMissingError from error

    class Server(MCPServer):
        """Says in our words which arguments are not a tool's."""

        async def call_tool(self, name: str, arguments: dict[str, Any], context: Any = None) -> Any:
            try:
                return await super().call_tool(name, arguments, context)
            except ToolError as error:
                if isinstance(error.__cause__, ValidationError):
                    raise ToolError(_wrong_arguments(name, error.__cause__)) from None
                raise

    server = Server(
        "adyton",
        version=version("adyton"),
        instructions=_INSTRUCTIONS,
        log_level="WARNING",
        request_state_security=None,
    )
    for tool in (
        assistant.commit_text,
        assistant.commit_file,
        assistant.verify_proof,
        assistant.ask_question,
    ):
        server.add_tool(_told(tool))
    return server


def serve_stdio(server: "MCPServer") -> None:
    """Serve on stdin and stdout until the other end closes them."""
    server.run()


def serve_http(server: "MCPServer", *, port: int, token: str) -> None:
    """Serve on this machine alone, for whoever has ``token``; a new one is made where it is empty.

    Other users of this machine, and pages in its browsers, reach the port too.
    """
    try:
        listener = socket.create_server((_HOST, port))
    except OSError as error:
        raise PortTakenError(port=port, option="--http", error=error) from error
    made = token or secrets.token_urlsafe(_TOKEN_SIZE)
    notes().print(f"http://{_HOST}:{port}/mcp", soft_wrap=True)
    if not token:
        notes().print(f"Authorization: Bearer {made}", soft_wrap=True)
    app = server.streamable_http_app(host=_HOST, stateless_http=True)
    config = uvicorn.Config(guarded(app, made), host=_HOST, port=port, log_level="warning")
    with listener, suppress(KeyboardInterrupt):
        uvicorn.Server(config).run(sockets=[listener])


def guarded(app: ASGIApp, token: str) -> ASGIApp:
    """Return ``app`` for those who send ``token``."""
    wanted = f"Bearer {token}".encode()

    async def guard(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            given = dict(scope["headers"]).get(b"authorization", b"")
            if not hmac.compare_digest(given, wanted):
                refusal = Response(status_code=401, headers={"WWW-Authenticate": "Bearer"})
                await refusal(scope, receive, send)
                return
        await app(scope, receive, send)

    return guard


def _wrong_arguments(tool: str, error: ValidationError) -> str:
    # Their names alone: what was sent is the caller's.
    found = {
        str(problem["loc"][0]): problem["type"] for problem in error.errors() if problem["loc"]
    }
    said = [
        f"{name} is missing" if kind == "missing" else f"{name} is of another type"
        for name, kind in found.items()
    ]
    return f"the arguments are not those of {tool}: {'; '.join(said)} (malformed)"


def _told(tool: _Tool[_Parameters]) -> _Tool[_Parameters]:
    """Return ``tool`` with our errors as answers that a model can read."""
    from mcp.server.mcpserver.exceptions import ToolError  # noqa: PLC0415

    @functools.wraps(tool)
    async def told(*arguments: _Parameters.args, **named: _Parameters.kwargs) -> dict[str, Any]:
        try:
            return await tool(*arguments, **named)
        except AdytonError as error:
            raise ToolError(f"{error} ({error.code})") from error

    return told
