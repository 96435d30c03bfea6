"""The transcript layer: what the recorded TLS session is worth, which is less than it looks."""

from typing import Final

from adyton.appraisal.policy import ReceiptPolicy
from adyton.model.receipt import Receipt
from adyton.model.verdict import Layer, LayerName, Part, failed, finding, passed

__all__ = ["weigh"]

_PROTOCOLS: Final = frozenset({"TLSv1.2", "TLSv1.3"})

_ESTABLISHES: Final = (
    "a handshake with the holder of a certificate for this server name, under roots that you"
    " accept, as the attested code recorded it"
)
_DOES_NOT_ESTABLISH: Final = (
    "that the server sent this data, to whoever doubts the worker: TLS gives no non-repudiation,"
    " and the session's keys can write any transcript; only the evidence speaks against that"
)


def weigh(receipt: Receipt, *, policy: ReceiptPolicy | None) -> Layer:
    """Return the transcript layer.

    1. *session*: the transcript names a server and a version of TLS that is not broken;
    2. *roots*: the worker trusted no certificate authority that the policy does not accept.
    """
    return Layer(
        name=LayerName.TRANSCRIPT,
        parts=(_session(receipt), _roots(receipt, policy)),
        establishes=_ESTABLISHES,
        does_not_establish=_DOES_NOT_ESTABLISH,
    )


def _session(receipt: Receipt) -> Part:
    transcript = receipt.statement.transcript
    if not transcript.server_name or transcript.protocol not in _PROTOCOLS:
        text = f"the session is {transcript.protocol!r} with {transcript.server_name!r}"
        return failed("session", finding("session-rejected", text))
    text = f"{transcript.protocol} with {transcript.server_name}"
    return passed("session", finding("session-recorded", text))


def _roots(receipt: Receipt, policy: ReceiptPolicy | None) -> Part:
    accepted = frozenset[bytes]() if policy is None else policy.added_roots
    if unknown := set(receipt.manifest.added_roots) - accepted:
        names = ", ".join(sorted(digest.hex() for digest in unknown))
        text = f"the worker trusts certificate authorities that the policy does not name: {names}"
        return failed("roots", finding("added-root-rejected", text))
    return passed("roots")
