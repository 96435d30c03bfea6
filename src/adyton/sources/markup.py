"""XML and HTML to a tree, and what an XPath selects in it.

As strict as ``codec.xml``, and no XPath extension functions: what comes out depends on the bytes
alone.
"""

import functools
import re
from typing import Final

import lxml.etree as et
import lxml.html

from adyton.codec.xml import Element, check_encoding, parse_xml
from adyton.errors import MalformedError

__all__ = ["Element", "compile_x_path", "find_x_path", "parse_html", "parse_xml"]

_MAX_EXPRESSION: Final = 1024
_QUOTED: Final = re.compile(r"'[^']*'" r'|"[^"]*"')
# What goes over much of the document at once.
_WIDE: Final = re.compile(r"//|(?:ancestor|descendant|following|preceding)[a-z-]*\s*::")
_MAX_WIDE: Final = 2


def parse_html(data: bytes) -> Element:
    """Return the root of an HTML document in UTF-8; HTML readers repair, so nearly all is read."""
    check_encoding(data)
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
