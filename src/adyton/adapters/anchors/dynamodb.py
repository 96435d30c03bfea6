"""An anchor in DynamoDB: one item, written on the condition that it is what it was before.

It carries no frames: an item has 400 KB at most, and each of them is paid for. Credentials come
from where AWS's own tools find them. The table has the key ``ledger``, a string.
"""

from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from adyton.errors import MalformedError
from adyton.ledger.errors import AnchorMovedError, AnchorUnavailableError
from adyton.ledger.ports import GENESIS, Anchored, Head

__all__ = ["DynamodbAnchor"]

_SECONDS: Final = 5
_ABSENT: Final = "attribute_not_exists(ledger)"
_UNCHANGED: Final = "#counter = :counter AND proof_hash = :hash"
_FAILED: Final = "ConditionalCheckFailedException"


class DynamodbAnchor:
    """One item of one table."""

    kind: Final = "dynamodb"
    carries: Final = False

    def __init__(self, address: str, *, ledger: str) -> None:
        """Open the table in ``dynamodb://table?region=…&endpoint=…``, without asking it yet."""
        parts = urlsplit(address)
        query = parse_qs(parts.query)
        if not parts.netloc or set(query) - {"region", "endpoint"}:
            raise MalformedError("a dynamodb address is dynamodb://table?region=…")
        self._table, self._key = parts.netloc, {"ledger": {"S": ledger}}
        self._client = _client(query)

    def read(self) -> Anchored:
        """Return the head; the item is read with consistency."""
        found = self._call("get_item", Key=self._key, ConsistentRead=True).get("Item")
        if not found:
            return Anchored(head=GENESIS)
        try:
            counter, proof_hash = int(found["counter"]["N"]), bytes(found["proof_hash"]["B"])
        except (KeyError, ValueError, TypeError) as error:
            reason = "its item has another form"
            raise AnchorUnavailableError(kind=self.kind, reason=reason) from error
        return Anchored(head=Head(counter=counter, proof_hash=proof_hash))

    def advance(self, before: Head, after: Head, *, frame: bytes, settled: int) -> None:  # noqa: ARG002  # it carries none
        """Move the head, if it is ``before``."""
        condition: dict[str, Any] = {"ConditionExpression": _ABSENT}
        if before != GENESIS:
            condition = {
                "ConditionExpression": _UNCHANGED,
                "ExpressionAttributeNames": {"#counter": "counter"},
                "ExpressionAttributeValues": {
                    ":counter": {"N": str(before.counter)},
                    ":hash": {"B": before.proof_hash},
                },
            }
        item = {
            **self._key,
            "counter": {"N": str(after.counter)},
            "proof_hash": {"B": after.proof_hash},
        }
        self._call("put_item", Item=item, **condition)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _call(self, name: str, **arguments: Any) -> dict[str, Any]:
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415  # optional

        try:
            answer: dict[str, Any] = getattr(self._client, name)(TableName=self._table, **arguments)
        except ClientError as error:
            code = str(error.response.get("Error", {}).get("Code", ""))
            if code == _FAILED:
                raise AnchorMovedError(kind=self.kind) from error
            raise AnchorUnavailableError(kind=self.kind, reason=code[:64]) from error
        except BotoCoreError as error:
            raise AnchorUnavailableError(kind=self.kind, reason=type(error).__name__) from error
        return answer


def _client(query: dict[str, list[str]]) -> Any:
    try:
        import boto3  # noqa: PLC0415  # optional: adyton[dynamodb]
        from botocore.config import Config  # noqa: PLC0415
    except ImportError as error:
        reason = "boto3 is not installed: pip install '.[dynamodb]' in a checkout"
        raise AnchorUnavailableError(kind=DynamodbAnchor.kind, reason=reason) from error
    # Its own tries would repeat a write whose answer was lost, and then call it a conflict.
    config = Config(
        connect_timeout=_SECONDS, read_timeout=_SECONDS, retries={"total_max_attempts": 1}
    )
    region, endpoint = query.get("region"), query.get("endpoint")
    return boto3.client(
        "dynamodb",
        region_name=region[0] if region else None,
        endpoint_url=endpoint[0] if endpoint else None,
        config=config,
    )
