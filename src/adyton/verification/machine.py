"""A machine: the evidence of a processor, and that of devices which are bound to it.

A device says nothing of the machine that it is in. What ties it to a processor is the nonce that it
signed, which has to follow from what the processor's evidence commits to: see
``evidence/nvidia/binding.py`` and ``docs/evidence-nvidia.md``.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from adyton.appraisal.appraise import appraise, refuse
from adyton.appraisal.freshness import NAME as FRESHNESS
from adyton.appraisal.freshness import Expected
from adyton.appraisal.policy import Binding, Policy
from adyton.codec.json import JsonObject
from adyton.errors import AdytonError, MalformedError
from adyton.evidence.collateral import NO_COLLATERAL, Collateral
from adyton.evidence.formats import Format, detect
from adyton.evidence.nvidia.binding import (
    DeviceBinding,
    DeviceBindingRejectedError,
    check_binding,
    commitment_of,
    nonce_to_find,
)
from adyton.evidence.nvidia.serialized import MAX_DEVICES, split_devices
from adyton.model.claims import Claims, Judged, Technology
from adyton.model.verdict import (
    Finding,
    LayerName,
    Part,
    Status,
    Verdict,
    exact,
    failed,
    not_evaluated,
    passed,
)
from adyton.verification.authenticate import EvidenceCache
from adyton.verification.decide import decide_on_evidence
from adyton.verification.pipeline import claims_or_reason, verify_evidence

__all__ = ["VERSION", "Device", "MachineVerdict", "devices_of", "verify_machine"]

VERSION: Final = "adyton/machine-verdict/v1"
_NAME: Final = "binding"
_NO_PROCESSORS: Final = frozenset(
    {Technology.NVIDIA_GPU, Technology.NVIDIA_SWITCH, Technology.NVIDIA_NRAS}
)
_DOES_NOT_ESTABLISH: Final = (
    "that the devices are in this processor's machine: whoever knows what its evidence commits to"
    " can have any device sign over it. The code in the processor's measurement settles that, if it"
    " asks its devices over sessions of its own, and compares"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """The evidence of one device, and what its vendor publishes beside it."""

    evidence: bytes
    collateral: Collateral = NO_COLLATERAL


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineVerdict:
    """The verdicts on a processor and on its devices, each with what its evidence says.

    ``binding`` is whether the devices were asked for this processor's evidence, and ``bound`` what
    was shown if they were.
    """

    processor: Judged
    devices: tuple[Judged, ...]
    binding: Part
    bound: DeviceBinding | None
    at: datetime

    def __post_init__(self) -> None:
        if not self.devices:
            raise ValueError("a machine without devices is a processor: verify its evidence alone")
        if (self.bound is None) != (self.binding.status is not Status.PASSED):
            raise ValueError("what was shown belongs to a binding that holds")

    @property
    def accepted(self) -> bool:
        """Whether the processor and every device are acceptable, and bound to each other."""
        each = (self.processor, *self.devices)
        return self.bound is not None and all(verdict.accepted for verdict, _ in each)

    @property
    def reasons(self) -> tuple[Finding, ...]:
        """What speaks against acceptance: of the processor, of each device, of the binding."""
        each = (self.processor, *self.devices)
        found = tuple(finding for verdict, _ in each for finding in verdict.reasons)
        return found if self.bound is not None else (*found, *self.binding.findings)

    def to_json(self) -> JsonObject:
        """Return the form that is shown."""
        return {
            "version": VERSION,
            "subject": "machine",
            "accepted": self.accepted,
            "at": exact(self.at),
            "processor": _judged_json(self.processor),
            "devices": [_judged_json(judged) for judged in self.devices],
            "binding": {**self.binding.to_json(), **_bound_json(self.bound)},
        }


def devices_of(files: Sequence[bytes], *, collateral: Sequence[Collateral]) -> tuple[Device, ...]:
    """Return the devices in ``files``, in their order.

    NVIDIA's tools write many into one file. What is none of their files stays one piece, whose
    verdict says so. ``collateral`` is one for all devices, or one for each: golden values are of
    one version, and answers about revocation of one device.

    Raises ``MalformedError`` for more devices than a machine has, for none, or for another number
    of collateral.
    """
    pieces = [piece for evidence in files for piece in _pieces(evidence)]
    if not 1 <= len(pieces) <= MAX_DEVICES:
        raise MalformedError(f"there are {len(pieces)} devices, not 1 to {MAX_DEVICES}")
    if len(collateral) not in {1, len(pieces)}:
        raise MalformedError(
            f"there are {len(pieces)} devices, and collateral for {len(collateral)}"
        )
    each = [*collateral] * (len(pieces) if len(collateral) == 1 else 1)
    return tuple(
        Device(evidence=piece, collateral=beside)
        for piece, beside in zip(pieces, each, strict=True)
    )


def verify_machine(
    processor: bytes,
    *,
    devices: Sequence[Device],
    policy: Policy,
    expected: Expected,
    at: datetime,
    collateral: Collateral = NO_COLLATERAL,
    cache: EvidenceCache | None = None,
) -> MachineVerdict:
    """Return the verdict on a processor's evidence and on that of its devices, at ``at``.

    1. The processor's evidence is acceptable, as any other: ``expected`` is what it has to be over.
    2. Each device's report is authentic. The nonces of all follow from what the processor's
       evidence commits to, and no device stands there twice: ``check_binding``.
    3. Each device is acceptable under the same policy, with that nonce as the one that it has to be
       over; what the policy names beside is for the processor. A device is as young as the
       challenge where the processor's evidence commits to nothing but the challenge, and else of
       no known age.

    All are judged, also where one before is not acceptable. Not established: that a device is in
    the processor's machine.
    """
    cache = cache or EvidenceCache()
    # Step 1
    verdict, claims = verify_evidence(
        processor, policy=policy, expected=expected, at=at, collateral=collateral, cache=cache
    )
    # Step 2
    read = [
        claims_or_reason(
            item.evidence, collateral=item.collateral, policy=policy, at=at, cache=cache
        )
        for item in devices
    ]
    bound = _bind(claims, read)
    # Step 3
    theirs = replace(policy, evidence=replace(policy.evidence, binding=Binding()))
    wanted = _expected_of_devices(verdict, claims, read, expected)
    return MachineVerdict(
        processor=(verdict, claims),
        devices=tuple(_judge(item, theirs, wanted, at) for item in read),
        binding=passed(_NAME) if isinstance(bound, DeviceBinding) else bound,
        bound=bound if isinstance(bound, DeviceBinding) else None,
        at=at,
    )


def _pieces(evidence: bytes) -> tuple[bytes, ...]:
    try:
        is_list = detect(evidence) is Format.NVIDIA_DEVICE
        return split_devices(evidence) if is_list else (evidence,)
    except MalformedError:
        return (evidence,)


def _bind(
    processor: Claims | None, devices: Sequence[Claims | AdytonError]
) -> DeviceBinding | Part:
    if processor is None:
        text = "the processor's evidence is not authentic, so it commits to nothing"
        return not_evaluated(_NAME, "not-authentic", text)
    for number, item in enumerate(devices, 1):
        if isinstance(item, AdytonError):
            text = f"the evidence of device {number} is not authentic, so it is over nothing"
            return not_evaluated(_NAME, "not-authentic", text)
    if processor.technology in _NO_PROCESSORS:
        reason = "stands in the place of the processor"
        error = DeviceBindingRejectedError(device=processor.instance, reason=reason)
        return failed(_NAME, Finding.from_error(error))
    try:
        return check_binding(_authentic(devices), commitment=commitment_of(processor))
    except DeviceBindingRejectedError as refused:
        return failed(_NAME, Finding.from_error(refused))


def _expected_of_devices(
    verdict: Verdict,
    processor: Claims | None,
    devices: Sequence[Claims | AdytonError],
    expected: Expected,
) -> Expected:
    """Return what each device has to be over: nothing that anybody knows, without a processor."""
    authentic = _authentic(devices)
    if processor is None or not authentic:
        return Expected()
    commitment = commitment_of(processor)
    _, nonce = nonce_to_find(authentic[0].nonce, commitment)
    parts = {part.name: part for part in verdict.layer(LayerName.EVIDENCE).parts}
    is_fresh = parts[FRESHNESS].status is Status.PASSED and expected.asked == commitment
    # What was known before the challenge was sent may have been signed by devices just as long ago.
    return Expected(nonce=nonce, challenge=nonce, asked=nonce if is_fresh else None)


def _authentic(devices: Sequence[Claims | AdytonError]) -> list[Claims]:
    return [item for item in devices if isinstance(item, Claims)]


def _judge(
    device: Claims | AdytonError, policy: Policy, expected: Expected, at: datetime
) -> Judged:
    if isinstance(device, AdytonError):
        return decide_on_evidence(refuse(device), at=at), None
    layer = appraise(device, policy=policy, expected=expected, at=at)
    return decide_on_evidence(layer, at=at), device


def _judged_json(judged: Judged) -> JsonObject:
    verdict, claims = judged
    return {**verdict.to_json(), "claims": None if claims is None else claims.to_json()}


def _bound_json(bound: DeviceBinding | None) -> JsonObject:
    shown: JsonObject = {"does_not_establish": _DOES_NOT_ESTABLISH}
    if bound is None:
        return shown
    return {
        **shown,
        "form": bound.form.value,
        "commitment": bound.commitment.hex(),
        "devices": [*bound.devices],
        "signed_sha256": bound.signed_sha256.hex(),
    }
