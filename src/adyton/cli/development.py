"""The policy for a worker under the insecure platform, made from its own state folder.

For development: whoever can read that folder can mint evidence that this policy accepts.
"""

import hashlib
import os
import ssl
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from adyton.adapters.insecure import ROOT_NAME, InsecurePlatform
from adyton.appraisal.policy import Policy
from adyton.errors import UnavailableError

__all__ = [
    "CertificatesUnreadableError",
    "FileUnwritableError",
    "certificate_digests",
    "check_writable",
    "development_policy",
    "make_folder",
    "write_whole",
]

_END: Final = "-----END CERTIFICATE-----"

_TEXT: Final = """\
# What this machine accepts while nothing but a DEVELOPMENT root vouches for the worker.
#
# There is no hardware behind this: whoever can read the worker's state folder can mint evidence
# that this policy accepts. For a real platform, start from `adyton policy init --platform nitro`.
# `adyton serve` writes the policy.yaml in its state folder anew at each start: change a copy.
version: adyton/policy/v1

# The root, by the digest of its certificate. Another machine's development root is another root.
roots:
  {root_name}: "{root}"

platforms:
  insecure:
    debug: refused
    tcb: not-required
    # Which code runs: "measurements" of a development root are whatever its owner writes.
    measurements: not-required

evidence:
  maximum_age_seconds: 900
  challenge: not-required

receipt:
  # Whom receipts have to be for: a list of names, or not-required.
  audience: not-required
  maximum_age_seconds: 2592000
  # A receipt counts for the nonce that you chose, and for no other: against replays.
  nonce: required
  circuits: built-in
  providers: any
  # Certificate authorities beside Mozilla's that the worker may have trusted for data sources.
  # Whoever has the key of one can play any provider.
  added_roots: {added_roots}
  isolation: [request, pooled]

proving:
  audience: not-required
  maximum_age_seconds: 2592000
  nonce: required
  circuits: any
  # SHA-256 of the prover's program, which sees the witness; any accepts every one.
  provers: any
"""


class CertificatesUnreadableError(UnavailableError):
    """A file of certificates cannot be read."""

    code = "certificates-unreadable"

    def __init__(self, *, path: Path) -> None:
        super().__init__(f"{path} is not a readable file of certificates in PEM")
        self.path = path


def development_policy(state: Path, *, added_roots: Path | None) -> str:
    """Return the policy, as YAML, for the worker whose state is in ``state``.

    Makes the development root where there is none yet: the worker finds it then. ``added_roots`` is
    the worker's own file of certificates.
    """
    platform = InsecurePlatform.open(state, measured={}, clock=lambda: datetime.now(UTC))
    digests = [] if added_roots is None else certificate_digests(added_roots)
    text = _TEXT.format(
        root_name=ROOT_NAME,
        root=platform.root_sha256.hex(),
        added_roots=_listed(digest.hex() for digest in digests),
    )
    # What is written here is read back strictly elsewhere: a mistake shows now.
    Policy.from_bytes(text.encode())
    return text


def certificate_digests(path: Path) -> list[bytes]:
    """Return the SHA-256 of each certificate in a PEM file."""
    try:
        parts = path.read_text("ascii").split(_END)
        return [
            hashlib.sha256(ssl.PEM_cert_to_DER_cert(part.strip() + f"\n{_END}\n")).digest()
            for part in parts
            if part.strip()
        ]
    except (OSError, ValueError) as error:
        raise CertificatesUnreadableError(path=path) from error


class FileUnwritableError(UnavailableError):
    """A file that was named cannot be written."""

    code = "file-unwritable"

    def __init__(self, *, path: Path, reason: str) -> None:
        super().__init__(f"{path} cannot be written: {reason}")
        self.path = path


@contextmanager
def _unwritable(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise FileUnwritableError(path=path, reason=error.strerror or "unknown") from error


def check_writable(*paths: Path | None) -> None:
    """Raise ``FileUnwritableError`` where no file can be written at one of ``paths``.

    Asked before what is made once: an answer, a proof or a key would be lost with its file.
    """
    for path in paths:
        if path is None:
            continue
        with _unwritable(path):
            if path.is_dir():
                raise FileUnwritableError(path=path, reason="it is a folder")
            if not path.parent.is_dir():
                raise FileUnwritableError(path=path, reason=f"there is no folder {path.parent}")
        if not os.access(path.parent, os.W_OK | os.X_OK):
            raise FileUnwritableError(path=path, reason=f"you may not write into {path.parent}")


def make_folder(path: Path) -> None:
    """Make ``path`` and what is above it; raise ``FileUnwritableError`` where that cannot be."""
    with _unwritable(path):
        path.mkdir(parents=True, exist_ok=True)


def write_whole(path: Path, content: str | bytes) -> None:
    """Write ``content`` to ``path``, which appears whole or not at all, for its owner only.

    Raises:
        FileUnwritableError: it cannot be written.
    """
    check_writable(path)
    with _unwritable(path):
        descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        with os.fdopen(descriptor, "wb") as file:
            file.write(content.encode() if isinstance(content, str) else content)
        Path(temporary).replace(path)


def _listed(digests: Iterable[str]) -> str:
    items = [f'\n    - "{digest}"' for digest in digests]
    return "".join(items) if items else "[]"
