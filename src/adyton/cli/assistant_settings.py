"""``adyton mcp``: what the operator decided, read once, before the assistant is served."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from adyton.cli.assistant import Assistant
from adyton.cli.assistant_server import make_server, serve_http, serve_stdio
from adyton.cli.contact import check_url, policy_path, warn
from adyton.cli.credentials import read_api_key, read_secrets
from adyton.cli.predicates import OptionMalformedError
from adyton.cli.terminal import notes, plain
from adyton.sdk.proofs import read_notary_policy
from adyton.sdk.verifying import read_policy
from adyton.verification.notary_policy import OPEN

__all__ = ["AssistantOptions", "run_mcp"]


@dataclass(frozen=True, slots=True, kw_only=True)
class AssistantOptions:
    """Everything that the command line says; no file is read yet."""

    url: str
    ca_file: Path | None
    api_key_file: Path | None
    folder: Path
    policy: Path | None
    notary_policy: Path | None
    token_file: Path | None
    http: int | None


def run_mcp(options: AssistantOptions, environ: Mapping[str, str]) -> None:
    """Serve until stopped, or until the other end is gone."""
    check_url(options.url)
    has_key = options.api_key_file is not None or bool(environ.get("ADYTON_API_KEY"))
    secrets = read_secrets(options.token_file, (), provider=None, warn=warn)
    policy = options.policy or _usual_policy()
    assistant = Assistant(
        url=options.url,
        # Without a key, proofs can still be verified.
        api_key=read_api_key(options.api_key_file) if has_key else "",
        ca_file=options.ca_file,
        folder=options.folder,
        policy=None if policy is None else read_policy(policy),
        notary_policy=OPEN
        if options.notary_policy is None
        else read_notary_policy(options.notary_policy),
        secrets=secrets,
    )
    server = make_server(assistant)
    for line in _refusals(assistant):
        notes().print(plain(line), soft_wrap=True)
    if options.http is None:
        serve_stdio(server)
    else:
        serve_http(server, port=options.http, token=environ.get("ADYTON_MCP_TOKEN", ""))


def _usual_policy() -> Path | None:
    try:
        return policy_path()
    except OptionMalformedError:
        # Proofs are committed and verified without one.
        return None


def _refusals(assistant: Assistant) -> Iterator[str]:
    """Yield which tools will refuse, and what would change that: a model hears of it too late."""
    if not assistant.api_key:
        yield "commit_text and commit_file will refuse: give --api-key-file, or ADYTON_API_KEY"
    lacks = [
        option
        for option, is_there in (
            ("--policy", assistant.policy is not None),
            ("--token-file", assistant.has_credentials),
            ("--api-key-file, or ADYTON_API_KEY", bool(assistant.api_key)),
        )
        if not is_there
    ]
    if lacks:
        yield f"ask_question will refuse: give {' and '.join(lacks)}"
