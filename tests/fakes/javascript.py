"""The real npm package, in one Node process that answers line by line."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any, Self

import pytest

from adyton.codec.text import to_base64

ROOT = Path(__file__).parents[2]
_PACKAGE = ROOT / "node_modules/provenclave/dist/index.js"
# The document crosses as text inside of a string: what JSON.parse makes of it is under test.
_SCRIPT = """
import { createInterface } from 'node:readline';
import { canonicalizeToString, verify } from %s;
for await (const line of createInterface({ input: process.stdin })) {
  const { document, bytes, anchors } = JSON.parse(line);
  let answer;
  try {
    const value = JSON.parse(document);
    answer = bytes === undefined
      ? { value: canonicalizeToString(value) }
      : { value: await verify({
          proof: value,
          bytes: Buffer.from(bytes, 'base64'),
          trustAnchors: anchors === null ? undefined : JSON.parse(anchors),
        }) };
  } catch (error) {
    answer = { error: String(error) };
  }
  process.stdout.write(JSON.stringify(answer) + '\\n');
}
"""


class JavaScript:
    """The package's functions, called over a pipe; a context manager that ends the process."""

    def __init__(self) -> None:
        node = shutil.which("node")
        if node is None or not _PACKAGE.is_file():
            pytest.skip("npm's provenclave is not installed; install node and run npm ci")
        script = _SCRIPT % json.dumps(_PACKAGE.as_uri())
        self._process = subprocess.Popen(
            [node, "--input-type=module", "-e", script],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )

    def canonical(self, document: str | bytes) -> bytes:
        """Return what the package signs for a JSON text; ``ValueError`` where it throws."""
        answer = self._ask({"document": _text(document)})
        if "error" in answer:
            raise ValueError(answer["error"])
        # Node escapes lone surrogates, so that the text always has a form in UTF-8.
        return str(answer["value"]).encode()

    def verify(
        self, proof: str | bytes, data: bytes, anchors: str | None = None
    ) -> tuple[bool, str]:
        """Return whether the package's ``verify`` accepts a proof of ``data``, and why not."""
        answer = self._ask({"document": _text(proof), "bytes": to_base64(data), "anchors": anchors})
        if "error" in answer:
            return False, str(answer["error"])
        return bool(answer["value"]["valid"]), str(answer["value"].get("reason", ""))

    def close(self) -> None:
        if self._process.stdin is not None and self._process.stdout is not None:
            self._process.stdin.close()
            self._process.stdout.close()
        self._process.wait(timeout=10)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def _ask(self, request: dict[str, Any]) -> dict[str, Any]:
        if self._process.stdin is None or self._process.stdout is None:
            raise RuntimeError("node was started without pipes")
        self._process.stdin.write(json.dumps(request).encode() + b"\n")
        self._process.stdin.flush()
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        return answer


def _text(document: str | bytes) -> str:
    return document.decode() if isinstance(document, bytes) else document
