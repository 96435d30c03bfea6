"""Signed XML: one enveloped signature over a whole document, ECDSA with P-384 and SHA-384.

Follows "XML Signature Syntax and Processing Version 1.1" (W3C), narrowed to what vendors of
hardware sign their reference values with: one signature, the last child of the root; one reference,
to the whole document; canonical XML 1.1; certificates in X509Data.

What is signed is ``content``: the canonical form of the document without its signature. Whoever
reads values reads them from there, and from nowhere else, so that nothing can be wrapped around,
moved, or put beside what was signed. Which certificate may sign is the caller's question.
"""

import hashlib
import hmac
from dataclasses import dataclass
from typing import Final, TypeAlias

from adyton.codec.text import from_base64
from adyton.codec.xml import Element, canonical_xml, parse_xml
from adyton.crypto.ecdsa import ES384_SIGNATURE_SIZE
from adyton.crypto.signing import SignatureRejectedError
from adyton.crypto.suites import PublicKey
from adyton.errors import MalformedError

__all__ = ["SignedXml"]

# What is far from any document that is signed like this, and near to no limit of the library's.
_MAX_ELEMENTS: Final = 2048
_MAX_NAMESPACES: Final = 16
_MAX_ATTRIBUTES: Final = 128
_MAX_CERTIFICATES: Final = 8
_MAX_CERTIFICATE_BYTES: Final = 4096
_DIGEST_SIZE: Final = 48

_DS: Final = "{http://www.w3.org/2000/09/xmldsig#}"
_C14N_1_1: Final = {"Algorithm": "http://www.w3.org/2006/12/xml-c14n11"}
_ENVELOPED: Final = {"Algorithm": "http://www.w3.org/2000/09/xmldsig#enveloped-signature"}
_ECDSA_SHA384: Final = {"Algorithm": "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha384"}
_SHA384: Final = {"Algorithm": "http://www.w3.org/2001/04/xmldsig-more#sha384"}

_Outline: TypeAlias = tuple[str, dict[str, str], list["_Outline"]]

# All of the part that is signed first, but for the digest in it. No other algorithm, transform or
# reference is looked at, so that none can be chosen by whoever sends the document.
_SIGNED_INFO: Final[_Outline] = (
    "SignedInfo",
    {},
    [
        ("CanonicalizationMethod", _C14N_1_1, []),
        ("SignatureMethod", _ECDSA_SHA384, []),
        (
            "Reference",
            {"URI": ""},
            [
                ("Transforms", {}, [("Transform", _ENVELOPED, []), ("Transform", _C14N_1_1, [])]),
                ("DigestMethod", _SHA384, []),
                ("DigestValue", {}, []),
            ],
        ),
    ],
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedXml:
    """A signed document in its parts, nothing of it verified before ``check``.

    ``content`` is what is signed, ``signed_info`` what the signature itself is over, and ``digest``
    what that says of the content. ``certificates`` are in the order of the document, in DER.
    """

    content: bytes
    signed_info: bytes
    digest: bytes
    signature: bytes
    certificates: tuple[bytes, ...]

    @classmethod
    def from_bytes(cls, data: bytes, *, where: str, limit_bytes: int) -> "SignedXml":
        """Return the parts of the document in ``data``, or raise ``MalformedError``."""
        if len(data) > limit_bytes:
            raise MalformedError(f"{where} has {len(data)} bytes, limit {limit_bytes}")
        _check_plain(data, where)
        root = parse_xml(data)
        signature = _signature(root, where)
        signed_info, value, key_info = _children(
            signature, ["SignedInfo", "SignatureValue", "KeyInfo"], where
        )
        info = canonical_xml(signed_info)
        digest = _digest(info, where)
        parts = cls(
            content=_content(root, signature),
            signed_info=info,
            digest=digest,
            signature=from_base64(_text(value, where), where, limit_bytes=ES384_SIGNATURE_SIZE),
            certificates=_certificates(key_info, where),
        )
        if len(parts.signature) != ES384_SIGNATURE_SIZE:
            raise MalformedError(f"{where} has a signature of another size")
        return parts

    def check(self, key: PublicKey, *, domain: str) -> None:
        """Raise unless ``key`` signed ``content``: first what names the digest, then the digest."""
        key.check(self.signed_info, self.signature, domain=domain)
        if not hmac.compare_digest(hashlib.sha384(self.content).digest(), self.digest):
            raise SignatureRejectedError(domain=domain)


def _check_plain(data: bytes, where: str) -> None:
    """Raise for what no document of this kind has, before a library reads it.

    Comments, sections, instructions and references: readers differ in what they make of them.
    Attributes of ``xml:`` are where versions of canonical XML differ. Without bounds for elements
    and namespaces, the canonical form would take time that grows with their product; without one
    for the attributes of an element, which it sorts one by one, with their square.
    """
    if b"<!" in data or b"<?" in data[1:] or b"xml:" in data or b"&" in data:
        raise MalformedError(f"{where} has markup that has no place in it")
    if data.count(b"<") > 2 * _MAX_ELEMENTS or data.count(b"xmlns") > _MAX_NAMESPACES:
        raise MalformedError(f"{where} has too many elements or namespaces")
    if any(part.count(b"=") > _MAX_ATTRIBUTES for part in data.split(b"<")):
        raise MalformedError(f"{where} has an element with too many attributes")


def _signature(root: Element, where: str) -> Element:
    found = list(root.iter(_DS + "Signature"))
    # A second one would be somebody else's, and one that is elsewhere signs something else.
    if len(found) != 1 or found[0].getparent() is not root or found[0].getnext() is not None:
        raise MalformedError(f"{where} does not end in its one signature")
    return found[0]


def _content(root: Element, signature: Element) -> bytes:
    # The text behind an element is its tail, and goes with it: here it is the document's.
    before, tail = signature.getprevious(), signature.tail or ""
    if before is None:
        root.text = (root.text or "") + tail
    else:
        before.tail = (before.tail or "") + tail
    root.remove(signature)
    return canonical_xml(root)


def _digest(signed_info: bytes, where: str) -> bytes:
    # Read again from the bytes that are signed.
    element = parse_xml(signed_info)
    if _outline(element) != _SIGNED_INFO:
        raise MalformedError(f"{where} is signed in another way than it must be")
    text = element.findtext(f"{_DS}Reference/{_DS}DigestValue") or ""
    digest = from_base64(text, where, limit_bytes=_DIGEST_SIZE)
    if len(digest) != _DIGEST_SIZE:
        raise MalformedError(f"{where} has a digest of another size")
    return digest


def _outline(element: Element) -> _Outline:
    """Return names, attributes and children; text has a place in ``DigestValue`` alone."""
    name = str(element.tag).removeprefix(_DS)
    if name != "DigestValue" and _has_text(element):
        name = f"{name} with text"
    attributes = {str(key): str(value) for key, value in element.items()}
    return name, attributes, [_outline(child) for child in element]


def _has_text(element: Element) -> bool:
    between = [element.text or "", *(child.tail or "" for child in element)]
    return bool("".join(between).strip())


def _children(element: Element, names: list[str], where: str) -> list[Element]:
    found = list(element)
    is_of_form = [child.tag for child in found] == [_DS + name for name in names]
    if not is_of_form or element.attrib or _has_text(element):
        raise MalformedError(f"{where} has a signature of another form")
    return found


def _text(element: Element, where: str) -> str:
    """Return base64 text without its line ends."""
    if len(element) or element.attrib:
        raise MalformedError(f"{where} has a signature of another form")
    return (element.text or "").replace("\n", "")


def _certificates(key_info: Element, where: str) -> tuple[bytes, ...]:
    (data,) = _children(key_info, ["X509Data"], where)
    count = len(data)
    if not 1 <= count <= _MAX_CERTIFICATES:
        raise MalformedError(f"{where} has {count} certificates, not 1 to {_MAX_CERTIFICATES}")
    return tuple(
        from_base64(_text(item, where), where, limit_bytes=_MAX_CERTIFICATE_BYTES)
        for item in _children(data, ["X509Certificate"] * count, where)
    )
