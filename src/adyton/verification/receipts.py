"""What a receipt for an answer and one for a delegated proof are both held against."""

import hmac
from collections.abc import Sequence
from datetime import datetime, timedelta

from adyton.appraisal.document import Choice, NotRequired
from adyton.appraisal.policy import ProvingPolicy, ReceiptPolicy
from adyton.crypto.hashing import sha256
from adyton.crypto.signing import check_signature
from adyton.errors import AdytonError
from adyton.model.claims import Platform
from adyton.model.manifest import Manifest
from adyton.model.proving import ProvingHeader
from adyton.model.proving_receipt import ProvingReceipt
from adyton.model.question import Question
from adyton.model.receipt import Receipt
from adyton.model.verdict import Finding, Part, failed, finding, not_evaluated, passed
from adyton.model.window import CLOCK_TOLERANCE

__all__ = ["platform_findings", "request_part", "signature_part", "time_part"]


def signature_part(receipt: Receipt | ProvingReceipt, *, domain: str) -> Part:
    """Return whether the manifest's key signed the statement, which names this manifest."""
    statement, manifest = receipt.statement, receipt.manifest
    try:
        check_signature(manifest.signing_key, domain, statement.to_bytes(), receipt.signature)
    except AdytonError as error:
        return failed("signature", Finding.from_error(error))
    if not hmac.compare_digest(statement.manifest, sha256(manifest.to_bytes())):
        text = "the statement was signed for another manifest than this one"
        return failed("signature", finding("manifest-mismatch", text))
    return passed("signature")


def request_part(
    name: str,
    against: Sequence[Finding],
    *,
    request: Question | ProvingHeader,
    nonce: str | None,
    policy: ReceiptPolicy | ProvingPolicy,
) -> Part:
    """Return whether the statement is about the expected ``request``, for an audience of ours.

    ``against`` is what speaks against it already; ``nonce`` is the expected one, if there is any.
    """
    findings = [*against]
    if nonce is not None and request.nonce != nonce:
        findings.append(finding("nonce-mismatch", "the statement has another nonce than expected"))
    if not isinstance(policy.audience, Choice) and request.audience not in policy.audience:
        text = "the statement is not for an audience that the policy names"
        findings.append(finding("audience-rejected", text))
    if findings:
        return failed(name, *findings)
    if nonce is None and policy.nonce is Choice.REQUIRED:
        text = "the policy wants the nonce compared, and the verifier was not told one"
        return not_evaluated(name, "nonce-missing", text)
    return passed(name)


def time_part(
    receipt: Receipt | ProvingReceipt, *, maximum_age: timedelta | NotRequired, at: datetime
) -> Part:
    """Return whether the statement is neither too old at the instant ``at`` nor ahead of it."""
    age = timedelta(seconds=at.timestamp() - receipt.statement.time)
    if age < -CLOCK_TOLERANCE:
        return failed("time", finding("from-the-future", f"the statement is {-age} ahead of {at}"))
    if not isinstance(maximum_age, Choice) and age > maximum_age:
        text = f"the statement is {age} old, the policy wants at most {maximum_age}"
        return failed("time", finding("too-old", text))
    return passed("time")


def platform_findings(manifest: Manifest, platform: Platform | None) -> list[Finding]:
    """Return what speaks against ``manifest`` being of the platform that the evidence is from."""
    # The evidence decides; but people read manifests, and none may claim a better platform.
    if platform is None or manifest.platform == platform.value:
        return []
    text = f"the manifest names the platform {manifest.platform!r}, the evidence is of {platform}"
    return [finding("platform-mismatch", text)]
