"""Request headers that may be set (RFC 9110): one line each, and none that frames a message."""

import re
from typing import Final, TypeAlias

from adyton.errors import MalformedError

__all__ = ["Headers", "check_header", "check_headers"]

Headers: TypeAlias = tuple[tuple[str, str], ...]

_MAX_HEADERS: Final = 64
# RFC 9110, section 5.6.2.
_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}")
# Visible ascii with spaces in between: other octets are read differently by different servers.
_VALUE: Final = re.compile(r"[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?")
# Framing and the connection belong to whoever sends the request: a length that an asker chose would
# hide a second request in the body of the first.
_RESERVED: Final = frozenset(
    {
        "accept-encoding",
        "connection",
        "content-length",
        "expect",
        "host",
        "http2-settings",
        "keep-alive",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)


def check_header(name: str, value: str) -> None:
    """Raise ``MalformedError`` unless the header is one that may be set. It never shows a value."""
    if _NAME.fullmatch(name) is None:
        raise MalformedError("a header's name is not a token")
    if name.lower() in _RESERVED or name.lower().startswith("proxy-"):
        raise MalformedError(f'the header "{name}" is not one that may be set')
    if _VALUE.fullmatch(value) is None:
        raise MalformedError(f'the header "{name}" is empty or holds other than visible ascii')


def check_headers(headers: Headers) -> None:
    """Raise ``MalformedError`` unless every header may be set, and none is there twice."""
    if len(headers) > _MAX_HEADERS:
        raise MalformedError(f"there are more than {_MAX_HEADERS} headers")
    for name, value in headers:
        check_header(name, value)
    names = [name.lower() for name, _ in headers]
    if len(set(names)) != len(names):
        raise MalformedError("a header is there twice")
