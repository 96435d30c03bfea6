"""XML to a tree, with everything switched off that reads, expands or runs something.

No document type, no entities, no network: what comes out depends on the bytes alone. Only UTF-8 is
read: a document that declares something else is not guessed at.
"""

import re
from typing import Final, TypeAlias

import lxml.etree as et

from adyton.errors import MalformedError

__all__ = ["Element", "canonical_xml", "check_encoding", "parse_xml"]

# The one name that lxml has for the class.
Element: TypeAlias = et._Element  # noqa: SLF001

_DOCTYPE: Final = re.compile(rb"<!(DOCTYPE|ENTITY)", re.IGNORECASE)
_DECLARED: Final = re.compile(rb"""\s*<\?xml[^>]*?encoding\s*=\s*["']([A-Za-z0-9._-]+)["']""")


def parse_xml(data: bytes) -> Element:
    """Return the root of an XML document in UTF-8 without a document type."""
    check_encoding(data)
    if _DOCTYPE.search(data) is not None:
        # An entity can hold a file or a billion laughs; no API needs a document type.
        raise MalformedError("xml has a document type")
    parser = et.XMLParser(
        encoding="utf-8",
        resolve_entities=False,
        load_dtd=False,
        dtd_validation=False,
        no_network=True,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        return et.fromstring(data, parser)
    except et.XMLSyntaxError as error:
        # The error's own text would quote the input.
        raise MalformedError("not xml") from error


def canonical_xml(element: Element) -> bytes:
    """Return the canonical form of ``element`` and what is in it, without comments.

    That of Canonical XML 1.0, which is that of 1.1 where no attribute is in the namespace of
    ``xml:``: the caller sees to that.
    """
    try:
        return et.tostring(element, method="c14n", exclusive=False, with_comments=False)
    except et.LxmlError as error:
        # A namespace that is a relative address has none.
        raise MalformedError("xml has no canonical form") from error


def check_encoding(data: bytes) -> None:
    """Raise ``MalformedError`` unless ``data`` is UTF-8, and says so if it says anything."""
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise MalformedError("not utf-8") from error
    declared = _DECLARED.match(data)
    if declared is not None and declared[1].lower() not in {b"utf-8", b"us-ascii"}:
        raise MalformedError("the document declares another encoding than utf-8")
