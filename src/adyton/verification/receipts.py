"""What a receipt for an answer and one for a delegated proof are both held against."""

import hmac
from datetime import datetime, timedelta

from adyton.appraisal.document import Choice, NotRequired
from adyton.crypto.hashing import sha256
from adyton.crypto.signing import check_signature
from adyton.errors import AdytonError
from adyton.model.claims import Platform
from adyton.model.manifest import Manifest
from adyton.model.proving_receipt import ProvingReceipt
from adyton.model.receipt import Receipt
from adyton.model.verdict import Finding, Part, failed, finding, passed
from adyton.model.window import CLOCK_TOLERANCE

__all__ = ["platform_findings", "signature_part", "time_part"]


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
