"""Step ``authenticate``: whose hardware the evidence comes from, and what it says."""

from datetime import datetime

from adyton.appraisal.policy import Policy
from adyton.crypto.path import PathCache
from adyton.evidence.nitro.authenticate import authenticate as authenticate_nitro
from adyton.evidence.roots import trusted_roots
from adyton.model.claims import Claims

__all__ = ["authenticate"]


def authenticate(
    evidence: bytes, *, policy: Policy, at: datetime, cache: PathCache | None
) -> Claims:
    """Return what ``evidence`` says, under a root that ``policy`` accepts, at the instant ``at``.

    Not established: that the claims are acceptable. Raises ``MalformedError`` or
    ``RejectedError``.
    """
    roots = trusted_roots(policy.vendor_roots, named=policy.named_roots)
    return authenticate_nitro(evidence, roots=roots, at=at, cache=cache)
