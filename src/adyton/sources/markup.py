"""XML and HTML to a tree, with everything switched off that reads, expands or runs something.

No document type, no entities, no network, no XPath extension functions: what comes out depends on
the bytes alone. Only UTF-8 is read: a document that declares something else is not guessed at.
"""

import functools
import re
from typing import Final, TypeAlias

import lxml.etree as et
import lxml.html

from adyton.errors import MalformedError

__all__ = ["Element", "compile_x_path", "find_x_path", "parse_html", "parse_xml"]

# The one name that lxml has for the class.
Element: TypeAlias = et._Element  # noqa: SLF001

_DOCTYPE: Final = re.compile(rb"<!(DOCTYPE|ENTITY)", re.IGNORECASE)
_DECLARED: Final = re.compile(rb"""\s*<\?xml[^>]*?encoding\s*=\s*["']([A-Za-z0-9._-]+)["']""")
_MAX_EXPRESSION: Final = 1024
_QUOTED: Final = re.compile(r"'[^']*'" r'|"[^"]*"')
# What goes over much of the document at once.
_WIDE: Final = re.compile(r"//|(?:ancestor|descendant|following|preceding)[a-z-]*\s*::")
_MAX_WIDE: Final = 2


def parse_xml(data: bytes) -> Element:
    """Return the root of an XML document in UTF-8 without a document type."""
    _check_encoding(data)
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


def parse_html(data: bytes) -> Element:
    """Return the root of an HTML document in UTF-8; HTML readers repair, so nearly all is read."""
    _check_encoding(data)
    parser = lxml.html.HTMLParser(
        encoding="utf-8", no_network=True, huge_tree=False, remove_comments=True, remove_pis=True
    )
    try:
        return lxml.html.document_fromstring(data, parser=parser)
    except (et.ParserError, et.XMLSyntaxError) as error:
        raise MalformedError("not html") from error


@functools.lru_cache(maxsize=256)
def compile_x_path(expression: str) -> et.XPath:
    """Return a compiled XPath 1.0, or raise ``MalformedError``."""
    if len(expression) > _MAX_EXPRESSION:
        raise MalformedError(f"the xpath has more than {_MAX_EXPRESSION} characters")
    if len(_WIDE.findall(_QUOTED.sub("", expression))) > _MAX_WIDE:
        # One within the condition of another visits the document for each of its nodes.
        raise MalformedError(f'the xpath has "//" or a wide axis more than {_MAX_WIDE} times')
    try:
        # Without regexp=False, EXSLT would bring Python's backtracking expressions.
        return et.XPath(expression, regexp=False, smart_strings=False)
    except (et.XPathSyntaxError, ValueError) as error:
        # The second, for characters that no document holds.
        raise MalformedError("not an xpath") from error


def find_x_path(expression: str, node: Element) -> list[Element | str]:
    """Return what ``expression`` selects: elements, and the text of text nodes and attributes.

    An XPath number is a double, and money has been through none: ``sum()`` and ``count()`` are
    refused. So are functions that nobody defined, which XPath finds only when it runs.
    """
    try:
        found = compile_x_path(expression)(node)
    except et.XPathError as error:
        raise MalformedError("the xpath cannot be evaluated") from error
    if isinstance(found, str):
        return [found] if found else []
    if not isinstance(found, list):
        raise MalformedError("the xpath gives a number or a boolean, not nodes or text")
    return [item for item in found if isinstance(item, str | Element)]


def _check_encoding(data: bytes) -> None:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise MalformedError("not utf-8") from error
    declared = _DECLARED.match(data)
    if declared is not None and declared[1].lower() not in {b"utf-8", b"us-ascii"}:
        raise MalformedError("the document declares another encoding than utf-8")
