from pathlib import Path
from typing import Any

import cbor2
import pytest
from tests.fakes.nitro import NOW, FakeNitro
from tests.fakes.nitro_module import FakeModule

from adyton.adapters.nsm import NsmPlatform, NsmUnavailableError
from adyton.errors import UnavailableError
from adyton.evidence.nitro.authenticate import authenticate

VENDOR = FakeNitro()
DESCRIPTOR = 77


async def ask(module: Any, challenge: bytes | None = b"challenge") -> bytes:
    platform = NsmPlatform(DESCRIPTOR, ioctl=module)
    return await platform.evidence(b"report data", challenge, b"key")


async def test_evidence_is_over_what_was_asked() -> None:
    module = FakeModule(VENDOR)
    claims = authenticate(await ask(module), roots=VENDOR.roots, at=NOW)
    assert claims.report_data == b"report data"
    assert claims.nonce == b"challenge"
    assert claims.public_key == b"key"
    # _IOWR(0x0A, 0, 32 bytes), as the driver's header has it.
    assert module.calls == [(DESCRIPTOR, (3 << 30) | (32 << 16) | (0x0A << 8))]


async def test_no_challenge_is_no_nonce() -> None:
    claims = authenticate(await ask(FakeModule(VENDOR), None), roots=VENDOR.roots, at=NOW)
    assert claims.nonce is None


@pytest.mark.parametrize("name", ["user_data", "nonce", "public_key"])
async def test_a_document_over_something_else_is_no_evidence(name: str) -> None:
    module = FakeModule(VENDOR)
    module._answer = lambda asked: module.attestation(asked, **{name: b"something else"})
    with pytest.raises(NsmUnavailableError, match="something else"):
        await ask(module)


@pytest.mark.parametrize(
    ("response", "reason"),
    [
        (cbor2.dumps({"Error": "InvalidArgument"}), "the error 'InvalidArgument'"),
        (cbor2.dumps({"Error": 3}), "not of its protocol"),
        (cbor2.dumps("DescribeNSM"), "not of its protocol"),
        (cbor2.dumps({"Attestation": {}}), "not of its protocol"),
        (cbor2.dumps({"Attestation": {"document": ""}}), "not of its protocol"),
        (cbor2.dumps({"Attestation": {"document": b"no document"}}), "cannot be read"),
        (b"", "not of its protocol"),
        (b"\xa1", "not of its protocol"),
    ],
)
async def test_an_answer_without_a_document_is_unavailable(response: bytes, reason: str) -> None:
    with pytest.raises(NsmUnavailableError, match=reason) as refused:
        await ask(FakeModule(VENDOR, answer=lambda _: response))
    assert isinstance(refused.value, UnavailableError)
    assert refused.value.code == "nsm-unavailable"


async def test_a_driver_that_fails_is_unavailable() -> None:
    def failing(*_: Any) -> int:
        raise OSError(22, "invalid argument")

    with pytest.raises(NsmUnavailableError, match="did not take the request"):
        await ask(failing)


async def test_a_driver_that_claims_more_than_there_is_room_for_is_not_believed() -> None:
    module = FakeModule(VENDOR)
    module.claimed_size = 1 << 40
    with pytest.raises(NsmUnavailableError, match="more bytes than it was given room for"):
        await ask(module)


async def test_a_request_beyond_the_drivers_limit_is_our_own_fault() -> None:
    with pytest.raises(ValueError, match="more than the driver takes"):
        await NsmPlatform(DESCRIPTOR, ioctl=FakeModule(VENDOR)).evidence(bytes(5000), None, b"")


def test_a_machine_without_the_device_says_so(tmp_path: Path) -> None:
    with pytest.raises(NsmUnavailableError, match="cannot be opened"):
        NsmPlatform.open(tmp_path / "nsm")


def test_the_device_is_given_back(tmp_path: Path) -> None:
    device = tmp_path / "nsm"
    device.touch()
    before = len(list(Path("/proc/self/fd").iterdir()))
    NsmPlatform.open(device).close()
    assert len(list(Path("/proc/self/fd").iterdir())) == before
