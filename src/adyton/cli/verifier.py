"""The gateway's verifier: the code that ``adyton verify`` runs, in a thread of its own."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Final

from adyton.adapters.verifier import OfflineVerifier
from adyton.appraisal.policy import Policy
from adyton.codec.json import JsonObject
from adyton.model.proving_receipt import ProvingReceipt
from adyton.sdk.verifying import read_receipt
from adyton.verification.bind import Expectation
from adyton.verification.delegated import ProvingExpectation

__all__ = ["ThreadedVerifier"]

# One checks a proof while the other reads; more would only wait for the same bb.
_THREADS: Final = 2


class ThreadedVerifier:
    """Verifies without holding up the loop. ``close`` it."""

    def __init__(self, offline: OfflineVerifier) -> None:
        self._offline = offline
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="verify")

    async def verify(self, receipt: JsonObject, policy: JsonObject, *, at: datetime) -> JsonObject:
        """Return the verdict, or raise ``MalformedError`` or ``UnavailableError``."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, self._judge, receipt, policy, at)

    def close(self) -> None:
        """Wait for what is in work, and end ``bb``."""
        self._threads.shutdown(cancel_futures=True)
        self._offline.close()

    def _judge(self, receipt: JsonObject, policy: JsonObject, at: datetime) -> JsonObject:
        # The gateway knows no question: a policy that wants the nonce compared gets told so.
        read, accepted = read_receipt(receipt), Policy.from_json(policy)
        if isinstance(read, ProvingReceipt):
            verdict = self._offline.verify_proving(
                read, policy=accepted, expectation=ProvingExpectation(), at=at
            )
        else:
            verdict = self._offline.verify(read, policy=accepted, expectation=Expectation(), at=at)
        return verdict.to_json()
