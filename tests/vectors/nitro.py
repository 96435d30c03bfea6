"""What the manifest says of Nitro documents, beside what we find."""

import hashlib
from collections.abc import Iterator
from typing import Final

from tests.vectors.manifest import ACCEPTED, Entry, Fact, content, instant

from adyton.crypto.path import PathCache
from adyton.errors import AdytonError
from adyton.evidence.nitro.authenticate import authenticate
from adyton.evidence.nitro.roots import NITRO_ROOTS
from adyton.model.claims import Claims

__all__ = ["authenticated", "facts", "is_authentic"]

# The manifest's words, and ours.
VERDICTS: Final = {
    "ACCEPT": ACCEPTED,
    "REJECT debug": "debug-mode",
    "REJECT debug (crypto valid)": "debug-mode",
    "REJECT untrusted root": "root-rejected",
    "REJECT COSE signature": "signature-rejected",
    "REJECT leaf certificate unparsable": "malformed",
}
SHOWN_WHOLE: Final = 64


def is_authentic(entry: Entry) -> bool:
    """Return whether the manifest holds a document to be AWS's, acceptable or not."""
    return VERDICTS[entry["verdict"]] in {ACCEPTED, "debug-mode"}


def authenticated(entry: Entry, *, cache: PathCache | None = None) -> Claims:
    """Return the claims of a document at its own time."""
    at = instant(entry["verify_at"])
    return authenticate(content(entry), roots=NITRO_ROOTS, at=at, cache=cache)


def facts(entry: Entry) -> Iterator[Fact]:
    """Yield verdict and fields of a document."""
    wanted = VERDICTS[entry["verdict"]]
    try:
        claims = authenticated(entry)
    except AdytonError as error:
        yield Fact.verdict([error.code], wanted)
        return
    yield Fact.verdict([finding.code for finding in claims.configuration], wanted)
    fields = entry["fields"]
    kind = "nitro-tpm" if "nitrotpm" in entry["file"] else "nitro"
    # The manifest leaves zero registers out.
    registers = {name: value.hex() for name, value in claims.measurements.items() if any(value)}
    compared: dict[str, tuple[object, object]] = {
        "technology": (claims.technology.value, kind),
        "platform": (claims.platform.value, kind),
        "root": (claims.root_sha256.hex(), fields["root_sha256"]),
        "debug": (claims.is_debug, fields.get("debug", False)),
        "pcrs": (registers, {f"pcr{index}": value for index, value in fields["pcrs"].items()}),
        "issued": (claims.issued, instant(fields["doc_time"])),
        "window": ([claims.first, claims.last], [instant(text) for text in fields["window"]]),
    }
    sometimes = {
        "module_id": claims.instance,
        "user_data": _shown(claims.report_data),
        "nonce": _shown(claims.nonce),
        "public_key": _shown(claims.public_key),
    }
    compared |= {name: (sometimes[name], fields[name]) for name in sometimes if name in fields}
    for name, (found, expected) in compared.items():
        yield Fact(name=name, found=found, wanted=expected)


def _shown(value: bytes | None) -> str | None:
    """Return a value as the manifest writes it: long ones by their digest."""
    if value is None or len(value) <= SHOWN_WHOLE:
        return None if value is None else value.hex()
    return f"{len(value)} bytes sha256={hashlib.sha256(value).hexdigest()[:16]}"
