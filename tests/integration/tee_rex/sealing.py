"""The real ``openpgp`` package as a client, by its own process."""

import json
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from adyton.codec.text import from_base64

ROOT = Path(__file__).parents[3]
SCRIPT = Path(__file__).with_name("seal.mjs")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealed:
    """A message, and what the client says is in it."""

    message: bytes
    packets: tuple[dict[str, Any], ...]


def seal(plaintext: bytes, key: str, *, folder: Path, way: str = "") -> Sealed:
    """Return ``plaintext`` sealed to the armored ``key``; skip where the package is not there."""
    node = shutil.which("node")
    if node is None or not (ROOT / "node_modules/openpgp").is_dir():
        pytest.skip("the openpgp package is not installed; install node and run npm ci")
    path = folder / "key.asc"
    path.write_text(key)
    done = subprocess.run(
        [node, SCRIPT, path, way], input=plaintext, capture_output=True, check=True, timeout=60
    )
    answer = json.loads(done.stdout)
    message = from_base64(answer["message"], "message", limit_bytes=64 * 1024 * 1024)
    return Sealed(message=message, packets=tuple(answer["packets"]))
