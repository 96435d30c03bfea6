"""A prover for chains of circuits, played by a script that speaks ``bb``'s protocol.

A real chain needs Aztec's kernels and more points than a test has. This one takes the commands in
the only order that ``bb`` takes them in, and "proves" what it was given: the five parts of its
proof name the steps, so that a test can tell that they arrived whole. A proof that it did not make
does not verify.
"""

import sys
from pathlib import Path

__all__ = ["KEY", "write_chonk"]

KEY = bytes(31) + b"\x07"

_SCRIPT = """
import hashlib, msgpack, os

def read(size):
    data = b""
    while len(data) < size:
        part = os.read(0, size - len(data))
        if not part:
            raise SystemExit
        data += part
    return data

def answer(name, **fields):
    body = msgpack.packb([name, fields])
    data = len(body).to_bytes(4, "little") + body
    while data:
        data = data[os.write(1, data):]

def refuse(text):
    answer("ErrorResponse", message=text)

def element(data):
    return bytes(1) + hashlib.sha256(data).digest()[1:]

def main():
    left, loaded, seen, made = None, None, [], set()
    while True:
        ((name, fields),) = msgpack.unpackb(read(int.from_bytes(read(4), "little")))
        if name == "ChonkStart":
            if fields["num_circuits"] < 4:
                refuse("Number of circuits must be at least 4")
                continue
            left, seen = fields["num_circuits"], []
        elif name == "ChonkLoad":
            if left is None or loaded is not None:
                refuse("out of order")
                continue
            loaded = fields["circuit"]
        elif name == "ChonkAccumulate":
            if loaded is None:
                refuse("No circuit loaded")
                continue
            if fields["witness"] == b"bad":
                refuse("the witness was bad")
                continue
            seen.append(loaded["name"].encode() + loaded["bytecode"] + fields["witness"])
            loaded, left = None, left - 1
        elif name == "ChonkProve":
            if left != 0:
                refuse("steps are missing")
                continue
            parts = dict(zip(PARTS, [[element(each) for each in seen], [], [], [], [bytes(32)]]))
            proof = b"".join(sum(parts.values(), []))
            made.add(proof)
            answer("ChonkProveResponse", proof=parts)
            continue
        elif name == "ChonkComputeVk":
            answer("ChonkComputeVkResponse", bytes=KEY, fields=[])
            continue
        elif name == "ChonkVerifyFromFields":
            valid = b"".join(fields["proof"]) in made and fields["vk"] == KEY
            answer("ChonkVerifyFromFieldsResponse", valid=valid and not LYING)
            continue
        else:
            refuse("unknown")
            continue
        answer(name + "Response")

PARTS = ["hiding_oink_proof", "merge_proof", "eccvm_proof", "ipa_proof", "joint_proof"]
main()
"""


def write_chonk(path: Path, *, makes_bad_proofs: bool = False) -> Path:
    """Write the script to ``path``, with all that it needs: it has no environment."""
    lines = (
        f"#!{sys.executable}",
        f"import sys; sys.path[:0] = {sys.path!r}",
        f"KEY, LYING = {KEY!r}, {makes_bad_proofs!r}",
    )
    path.write_text("\n".join(lines) + _SCRIPT)
    path.chmod(0o755)
    return path
