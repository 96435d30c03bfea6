"""A machine as an attestation result: a submodule for the processor, and one for each device.

Follows "EAT Attestation Results" (draft-ietf-rats-ear-04), section 3: ``submods`` has an entry for
each attester, and the status over all is the worst of them. The draft has no word for what ties
devices to a processor. Where that does not hold, nobody knows whose devices these are, and each of
them is contraindicated, whatever it says of itself.
"""

from dataclasses import replace
from types import MappingProxyType

from adyton.appraisal.ear import Ear, Tier
from adyton.model.claims import Claims
from adyton.verification.machine import MachineVerdict

__all__ = ["machine_result"]


def machine_result(processor: Ear, found: MachineVerdict) -> Ear:
    """Return the result for the machine; ``processor`` is the one for its processor alone."""
    (policies,) = processor.policies.values()
    statuses = dict(processor.statuses)
    vectors = dict(processor.vectors)
    for number, (verdict, claims) in enumerate(found.devices, 1):
        name = _name(number, claims)
        result = Ear.from_verdict(verdict, name=name, verifier=processor.verifier)
        statuses[name] = result.status if found.bound is not None else Tier.CONTRAINDICATED
        vectors |= result.vectors
    return replace(
        processor,
        statuses=MappingProxyType(statuses),
        vectors=MappingProxyType(vectors),
        policies=MappingProxyType(dict.fromkeys(statuses, policies)),
    )


def _name(number: int, claims: Claims | None) -> str:
    # By its place: what a device says of itself may be the same for two.
    kind = "device" if claims is None else claims.technology.value
    return f"{kind}-{number}"
