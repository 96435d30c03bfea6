"""An https URL, read strictly: what it means must not depend on who reads it.

RFC 3986, less what has no place in a request to an API: other schemes, user information, fragments,
addresses in brackets, and names that are not in ASCII (write them in punycode).
"""

import re
from dataclasses import dataclass, field
from typing import Final

from adyton.errors import MalformedError

__all__ = ["Url", "read_url"]

_MAX_URL: Final = 8192
_DEFAULT_PORT: Final = 443
_MAX_PORT: Final = 65535

_URL: Final = re.compile(r"https://(?P<authority>[^/?#]*)(?P<target>[^#]*)")
_AUTHORITY: Final = re.compile(r"(?P<host>[^:@]+)(:(?P<port>[1-9][0-9]{0,4}))?")
_LABEL: Final = re.compile(r"[a-z0-9]([a-z0-9_-]{0,61}[a-z0-9])?")
_MAX_HOST: Final = 253
# RFC 3986, section 3.3 and 3.4: unreserved, sub-delims, ":", "@", "/", "?", and whole escapes.
_TARGET: Final = re.compile(r"([A-Za-z0-9._~!$&'()*+,;=:@/?-]|%[0-9A-Fa-f]{2})*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Url:
    """Where a request goes. The target may hold a credential: it is hidden from ``repr``."""

    host: str
    port: int
    target: str = field(repr=False)


def read_url(text: str) -> Url:
    """Return the parts of an https URL, or raise ``MalformedError``, which never repeats it."""
    if len(text) > _MAX_URL:
        raise MalformedError(f"the url has more than {_MAX_URL} characters")
    if (match := _URL.fullmatch(text)) is None:
        reason = "has a fragment" if text.startswith("https://") else "does not begin with https://"
        raise MalformedError(f"the url {reason}")
    authority = _AUTHORITY.fullmatch(match["authority"])
    if authority is None:
        # User information ("user@host") would make a trusted name stand before another host.
        raise MalformedError("the url's authority is not a host and perhaps a port")
    host = authority["host"].lower()
    labels = host.split(".")
    if len(host) > _MAX_HOST or any(_LABEL.fullmatch(label) is None for label in labels):
        raise MalformedError("the url's host is not a name in ascii")
    port = int(authority["port"] or _DEFAULT_PORT)
    if port > _MAX_PORT:
        raise MalformedError("the url's port is beyond 65535")
    target = match["target"]
    if _TARGET.fullmatch(target) is None:
        raise MalformedError("the url has a character that must be percent-encoded")
    return Url(host=host, port=port, target=target if target.startswith("/") else f"/{target}")
