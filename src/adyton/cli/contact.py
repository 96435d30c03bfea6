"""Which gateway a command talks to, with or without a key, and under which policy."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeVar
from urllib.parse import urlsplit

from rich.text import Text

from adyton.adapters.environment import state_folder
from adyton.cli.predicates import OptionMalformedError
from adyton.cli.terminal import notes, plain
from adyton.sdk.transport import Transport

__all__ = ["check_url", "policy_path", "talk", "warn"]

_T = TypeVar("_T")
_LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})


def policy_path() -> Path:
    """Return the policy where none is named: ``ADYTON_POLICY``, or that of ``adyton serve``."""
    if named := os.environ.get("ADYTON_POLICY"):
        return Path(named)
    path = state_folder(os.environ) / "policy.yaml"
    if not path.is_file():
        raise OptionMalformedError(
            "whom do you trust? give --policy, or make one with: adyton policy init"
        )
    return path


def check_url(url: str, *, has_key: bool = True) -> None:
    """Raise unless ``url`` is a gateway's; warn where an API key would be readable on its way."""
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise OptionMalformedError("--url is not an address as https://gateway.example")
    if has_key and parts.scheme == "http" and parts.hostname not in _LOOPBACK:
        warn("the API key goes over the network in the clear; use https")


def talk(
    url: str, ca_file: Path | None, use: Callable[[Transport], _T], *, api_key: str | None = None
) -> _T:
    """Return what ``use`` makes of the gateway at ``url``; without a key, of what is public."""
    check_url(url, has_key=api_key is not None)
    transport = Transport(url, api_key=api_key or "none", ca_file=ca_file, transport=None)
    try:
        return use(transport)
    finally:
        transport.close()


def warn(text: str) -> None:
    """Print a warning on stderr."""
    notes().print(Text("warning: ", style="bold yellow"), plain(text), sep="")
