"""A platform for development: Nitro's format, and no hardware behind it.

It makes a root of its own at its first start and mints attestation documents under it: COSE_Sign1,
P-384, registers, the same bundle of four certificates as AWS's. Every verifier refuses them, unless
it is given the root's digest by name, and even then says that the platform is ``insecure``.

What a real platform gives is not here: whoever runs this process can read its memory and write any
measurement into a document.
"""

import json
import os
import tempfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from hashlib import sha384
from pathlib import Path
from types import MappingProxyType
from typing import Final

from adyton.codec.cbor import Cbor, CborMap, dumps
from adyton.codec.cose import ALGORITHM, ES384, Sign1
from adyton.codec.json import as_list, as_object, as_string, check_keys, loads
from adyton.codec.text import from_base64, to_base64
from adyton.crypto.ecdsa import Es384Key
from adyton.crypto.hashing import sha256
from adyton.crypto.issuing import Authority, Validity, issue_root
from adyton.errors import MalformedError, UnavailableError

__all__ = ["ROOT_NAME", "InsecurePlatform", "PlatformStateError"]

ROOT_NAME: Final = "Adyton INSECURE development root"

_STATE_FILE: Final = "insecure-platform.json"
_VERSION: Final = "adyton/insecure-platform/v1"
_MAX_STATE_BYTES: Final = 64 * 1024
_BUNDLE: Final = 4
# AWS's documents are signed by certificates of three hours, issued three seconds before.
_SIGNER_LIFE: Final = timedelta(hours=3)
_SIGNER_RENEWED: Final = timedelta(hours=2)
_CLOCK_SLACK: Final = timedelta(seconds=3)
_ROOT_LIFE: Final = timedelta(days=3650)
_REGISTERS: Final = 16
_REGISTER_SIZE: Final = 48


class PlatformStateError(UnavailableError):
    """The folder of the development platform cannot be used."""

    code = "insecure-platform-state"

    def __init__(self, *, path: Path, reason: str) -> None:
        super().__init__(f"the development platform's state in {path} {reason}")
        self.path, self.reason = path, reason


class InsecurePlatform:
    """Mints documents in Nitro's format under a development root."""

    def __init__(
        self,
        *,
        bundle: tuple[bytes, ...],
        issuer: Authority,
        registers: Mapping[int, bytes],
        module_id: str,
        clock: Callable[[], datetime],
    ) -> None:
        self._bundle = bundle
        self._issuer = issuer
        self._registers = registers
        self._module_id = module_id
        self._clock = clock
        self._signer: tuple[Es384Key, bytes, datetime] | None = None

    @classmethod
    def open(
        cls, folder: Path, *, measured: Mapping[int, bytes], clock: Callable[[], datetime]
    ) -> "InsecurePlatform":
        """Return the platform whose root is in ``folder``; make the root if there is none yet.

        ``measured`` has the bytes that a register stands for, by its number: the register holds
        SHA-384 over 48 zero bytes and SHA-384 of them, as a real one does after one extension. The
        registers that it leaves out, up to 15, are zero.
        """
        path = folder / _STATE_FILE
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not path.exists():
                _create(path, now=clock())
            bundle, issuer = _read(path.read_bytes())
        except OSError as error:
            raise PlatformStateError(path=path, reason="cannot be read or written") from error
        except MalformedError as error:
            reason = "is damaged; remove the file to begin with a new root"
            raise PlatformStateError(path=path, reason=reason) from error
        return cls(
            bundle=bundle,
            issuer=issuer,
            registers=_extended(measured),
            module_id=f"insecure-{sha256(issuer.der).hex()[:16]}",
            clock=clock,
        )

    @property
    def root_sha256(self) -> bytes:
        """What a policy must name for this platform's evidence to be looked at."""
        return sha256(self._bundle[0])

    @property
    def registers(self) -> Mapping[int, bytes]:
        """The registers that every document of this platform has."""
        return self._registers

    async def evidence(
        self, report_data: bytes, challenge: bytes | None, public_key: bytes
    ) -> bytes:
        """Return a document over ``report_data``, with ``challenge`` as its nonce."""
        now = self._clock()
        key, certificate = self._current_signer(now)
        bundle: list[Cbor] = list(self._bundle)
        registers: CborMap = {index: self._registers[index] for index in sorted(self._registers)}
        payload: CborMap = {
            "module_id": self._module_id,
            "digest": "SHA384",
            "timestamp": int(now.timestamp() * 1000),
            "pcrs": registers,
            "certificate": certificate,
            "cabundle": bundle,
            "public_key": public_key or None,
            "user_data": report_data,
            "nonce": challenge,
        }
        return _sign(dumps(payload), key)

    def _current_signer(self, now: datetime) -> tuple[Es384Key, bytes]:
        if self._signer is None or not self._signer[2] <= now < self._signer[2] + _SIGNER_RENEWED:
            key = Es384Key()
            validity = Validity(first=now - _CLOCK_SLACK, last=now + _SIGNER_LIFE)
            certificate = self._issuer.issue_signer(self._module_id, validity=validity, key=key)
            self._signer = (key, certificate, now)
        return self._signer[0], self._signer[1]


def _sign(payload: bytes, key: Es384Key) -> bytes:
    protected = dumps({ALGORITHM: ES384})
    unsigned = Sign1(
        protected=protected,
        header={ALGORITHM: ES384},
        unprotected={},
        payload=payload,
        signature=b"",
        tagged=False,
    )
    return dumps([protected, {}, payload, key.sign(unsigned.signed_bytes())])


def _extended(measured: Mapping[int, bytes]) -> Mapping[int, bytes]:
    zero = bytes(_REGISTER_SIZE)
    registers = dict.fromkeys(range(_REGISTERS), zero)
    for index, content in measured.items():
        registers[index] = sha384(zero + sha384(content).digest()).digest()
    return MappingProxyType(registers)


def _create(path: Path, *, now: datetime) -> None:
    """Make a root and what is between it and the signer, and leave them in ``path``.

    The keys of the root and of the first two authorities are forgotten at once: only the last one
    is needed again. The file appears whole or not at all, and the first of two processes wins.
    """
    validity = Validity(first=now.astimezone(UTC) - _CLOCK_SLACK, last=now + _ROOT_LIFE)
    chain = [issue_root(ROOT_NAME, validity=validity, key=Es384Key())]
    for path_length, name in ((2, "region"), (1, "zone"), (0, "instance")):
        chain.append(
            chain[-1].issue_authority(
                f"Adyton INSECURE development {name}",
                validity=validity,
                path_length=path_length,
                key=Es384Key(),
            )
        )
    state = {
        "version": _VERSION,
        "bundle": [to_base64(authority.der) for authority in chain],
        "key": chain[-1].key.to_pem().decode(),
    }
    # mkstemp makes the file readable for its owner only; link refuses to replace another's.
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(json.dumps(state, indent=1).encode())
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):
            os.link(temporary, path)
    finally:
        Path(temporary).unlink()


def _read(state: bytes) -> tuple[tuple[bytes, ...], Authority]:
    record = as_object(loads(state, limit_bytes=_MAX_STATE_BYTES), "the platform's state")
    check_keys(
        record,
        "the platform's state",
        required=frozenset({"version", "bundle", "key"}),
        optional=frozenset(),
    )
    if record["version"] != _VERSION:
        raise MalformedError(f'the platform\'s state is not "{_VERSION}"')
    bundle = tuple(
        from_base64(as_string(item, "a certificate"), "a certificate", limit_bytes=1024)
        for item in as_list(record["bundle"], "bundle", limit=_BUNDLE)
    )
    if len(bundle) != _BUNDLE:
        raise MalformedError(f"bundle has {len(bundle)} certificates, not {_BUNDLE}")
    key = Es384Key.from_pem(as_string(record["key"], "key").encode())
    return bundle, Authority(bundle[-1], key)
