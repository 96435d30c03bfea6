"""Pages of other origins in a browser: what they may not read, they may not ask for.

A page can send requests without asking anybody, also to a gateway that only its reader's machine
reaches: for a picture, say, whose address is a path that makes the worker attest. It learns nothing
from the answers, and uses up what callers without a key share. Follows "Fetch Metadata Request
Headers" (W3C): browsers send them to every address of HTTPS and of their own machine, and no page
can change them. Paths with cross-origin requests (``cors``) are for pages: theirs to see to it.
"""

from typing import Final

from starlette.datastructures import Headers

from adyton.errors import RejectedError

__all__ = ["PageRejectedError", "check_page"]

_FOREIGN: Final = frozenset({"cross-site", "same-site"})
# A page can also lead a window that it opened from address to address, for as long as it likes, and
# have the browser fetch ahead what it links to: neither is a reader's doing.
_FOLLOWED: Final = {
    "sec-fetch-mode": "navigate",
    "sec-fetch-dest": "document",
    "sec-fetch-user": "?1",
    "sec-purpose": None,
}


class PageRejectedError(RejectedError):
    """A page of another origin asks for something that it may not read."""

    code = "page-rejected"

    def __init__(self) -> None:
        super().__init__("pages of other origins may link to this path, and not use it")


def check_page(headers: Headers, *, method: str) -> None:
    """Raise ``PageRejectedError`` for another origin's page, unless its reader follows a link."""
    if headers.get("sec-fetch-site") not in _FOREIGN:
        return
    is_link = all(headers.get(name) == value for name, value in _FOLLOWED.items())
    if method != "GET" or not is_link:
        raise PageRejectedError
