"""Which gateway a command talks to, and under which policy."""

import os
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from rich.text import Text

from adyton.adapters.environment import state_folder
from adyton.cli.predicates import OptionMalformedError
from adyton.cli.terminal import notes, plain

__all__ = ["check_url", "policy_path", "warn"]

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


def check_url(url: str) -> None:
    """Raise unless ``url`` is a gateway's; warn where the API key would be readable on its way."""
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise OptionMalformedError("--url is not an address as https://gateway.example")
    if parts.scheme == "http" and parts.hostname not in _LOOPBACK:
        warn("the API key goes over the network in the clear; use https")


def warn(text: str) -> None:
    """Print a warning on stderr."""
    notes().print(Text("warning: ", style="bold yellow"), plain(text), sep="")
