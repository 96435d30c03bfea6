"""Golden values that NVIDIA signs (RIM): bytes to values, once it is shown where they come from.

Follows "TCG Reference Integrity Manifest (RIM) Information Model" and ISO/IEC 19770-2 (SWID tags)
in the form that NVIDIA publishes, and ``crypto.xml_signature`` for the signature. Values are read
from the bytes that are signed, and from nothing else of the file.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from adyton.codec.xml import Element, parse_xml
from adyton.crypto.hashing import sha256
from adyton.crypto.path import Path, PathCache, verify_path
from adyton.crypto.suites import ES384
from adyton.crypto.xml_signature import SignedXml
from adyton.errors import MalformedError
from adyton.evidence.nvidia.collateral import MAX_RIM_BYTES

__all__ = ["GoldenMeasurement", "Rim", "RimKind", "authenticate_rim"]

_SWID: Final = "{http://standards.iso.org/iso/19770/-2/2015/schema.xsd}"
_HASH: Final = "{http://www.w3.org/2001/04/xmlenc#sha384}Hash"
_ATTRIBUTES: Final = frozenset({"type", "index", "active", "alternatives", "name", "size"})
_ACTIVE: Final[Mapping[str, bool]] = MappingProxyType({"True": True, "False": False})
_DECIMAL: Final = re.compile(r"0|[1-9][0-9]{0,3}")
_HEXADECIMAL: Final = re.compile(r"[0-9A-Fa-f]{2,}")
_MAX_INDEX: Final = 0xFD
_MAX_ALTERNATIVES: Final = 64
_MAX_TEXT: Final = 128


class RimKind(StrEnum):
    """What golden values are about."""

    DRIVER = "driver"
    VBIOS = "vbios"


@dataclass(frozen=True, slots=True, kw_only=True)
class GoldenMeasurement:
    """What a measurement may be, by its index (which counts from zero). One of ``values``."""

    index: int
    name: str
    values: tuple[bytes, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rim:
    """Authentic golden values of one version of a driver or VBIOS.

    ``measurements`` are those that the RIM says are in use. ``path`` is that of the key that
    signed, and ``signed_sha256`` over the canonical form of what it signed. A RIM does not name the
    board: which one it is for is up to whoever chose it, and shows in the comparison.
    """

    version: str
    product: str
    edition: str
    tag_id: str
    measurements: Mapping[int, GoldenMeasurement]
    path: Path
    signed_sha256: bytes


def authenticate_rim(
    data: bytes, *, roots: Mapping[str, bytes], at: datetime, cache: PathCache | None = None
) -> Rim:
    """Return the golden values in ``data``, once they are shown to come from under ``roots``.

    1. The document is well formed, with one signature of the one kind that is accepted.
    2. The certificates lead from a root in ``roots`` to the key that signed: the steps of
       ``verify_path``. All are valid at ``at``.
    3. The signature is by that key, over the whole document.
    4. What is signed is a RIM as NVIDIA writes them, without anything that nobody here knows.

    Not established: that the RIM was not withdrawn (see ``revocation``), that there is no newer
    one, or that it is for the board in question. Raises ``MalformedError`` or a ``RejectedError``.
    """
    # Step 1
    signed = SignedXml.from_bytes(data, where="the rim", limit_bytes=MAX_RIM_BYTES)
    # Step 2: the document has the signer's certificate first.
    path = verify_path(signed.certificates[::-1], roots=roots, suite=ES384, cache=cache)
    path.check_valid(at)
    # Step 3
    signed.check(path.leaf.key, domain="the rim")
    # Step 4
    root = parse_xml(signed.content)
    entity, meta, payload = _parts(root)
    if not entity.get("name"):
        raise MalformedError("the rim does not say who made it")
    return Rim(
        version=_attribute(meta, "colloquialVersion"),
        product=_attribute(meta, "product"),
        edition=_attribute(meta, "edition"),
        tag_id=_attribute(root, "tagId"),
        measurements=_measurements(payload),
        path=path,
        signed_sha256=sha256(signed.content),
    )


def _parts(root: Element) -> list[Element]:
    wanted = [_SWID + name for name in ("SoftwareIdentity", "Entity", "Meta", "Payload")]
    children = list(root)
    if [root.tag, *(child.tag for child in children)] != wanted:
        raise MalformedError("the rim is not one software identity with one payload")
    # What supplements or corrects another document says nothing alone.
    for name in ("corpus", "patch", "supplemental"):
        if root.get(name, "false") != "false":
            raise MalformedError(f"the rim is a {name}, which is not read here")
    return children


def _attribute(element: Element, name: str) -> str:
    found = element.get(name)
    if not found or len(found) > _MAX_TEXT or not found.isprintable():
        raise MalformedError(f"the rim lacks {name}, or has something else than a text there")
    return found


def _measurements(payload: Element) -> Mapping[int, GoldenMeasurement]:
    found: dict[int, GoldenMeasurement] = {}
    seen: set[int] = set()
    for element in payload:
        if element.tag != _SWID + "Resource" or len(element):
            raise MalformedError("the rim's payload has something else than measurements")
        golden, is_active = _measurement(element)
        if golden.index in seen:
            raise MalformedError(f"the rim has the measurement {golden.index} twice")
        seen.add(golden.index)
        if is_active:
            found[golden.index] = golden
    if not found:
        raise MalformedError("the rim has no measurement")
    return MappingProxyType(found)


def _measurement(element: Element) -> tuple[GoldenMeasurement, bool]:
    attributes = {str(key): str(value) for key, value in element.items()}
    index = _number(attributes, "index", _MAX_INDEX)
    count = _number(attributes, "alternatives", _MAX_ALTERNATIVES)
    hashes = [f"{_HASH}{number}" for number in range(count)]
    # An attribute that is not known may restrict what is accepted.
    if count == 0 or attributes.keys() != _ATTRIBUTES.union(hashes):
        raise MalformedError(f"the rim's measurement {index} has other attributes")
    if attributes["type"] != "Measurement" or attributes["active"] not in _ACTIVE:
        raise MalformedError(f"the rim's measurement {index} is of no known kind")
    size = _number(attributes, "size", 0xFFFF)
    golden = GoldenMeasurement(
        index=index,
        name=_attribute(element, "name"),
        values=tuple(_value(attributes[name], index, size) for name in hashes),
    )
    return golden, _ACTIVE[attributes["active"]]


def _number(attributes: Mapping[str, str], name: str, limit: int) -> int:
    text = attributes.get(name, "")
    if _DECIMAL.fullmatch(text) is None or (number := int(text)) > limit:
        raise MalformedError(f"the rim has no number up to {limit} as {name}")
    return number


def _value(text: str, index: int, size: int) -> bytes:
    if _HEXADECIMAL.fullmatch(text) is None or len(text) != 2 * size:
        raise MalformedError(f"the rim's measurement {index} is not {size} bytes in hexadecimal")
    return bytes.fromhex(text)
