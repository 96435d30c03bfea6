"""Step ``authenticate``: whose hardware the evidence comes from, and what it says."""

from collections.abc import Mapping
from datetime import datetime

from adyton.appraisal.policy import Policy
from adyton.crypto.chain import ChainCache
from adyton.evidence.nitro.authenticate import authenticate as authenticate_nitro
from adyton.evidence.nitro.roots import VENDOR_ROOTS
from adyton.model.claims import Claims

__all__ = ["authenticate"]


def authenticate(
    evidence: bytes, *, policy: Policy, at: datetime, cache: ChainCache | None
) -> Claims:
    """Return what ``evidence`` says, under a root that ``policy`` accepts, at the instant ``at``.

    Not established: that the claims are acceptable. Raises ``MalformedError`` or
    ``RejectedError``.
    """
    return authenticate_nitro(evidence, roots=_roots(policy), at=at, cache=cache)


def _roots(policy: Policy) -> Mapping[str, bytes]:
    vendors = {root.value: VENDOR_ROOTS[root] for root in policy.vendor_roots}
    return {**policy.named_roots, **vendors}
