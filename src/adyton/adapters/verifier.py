"""Verifying receipts on this machine: the verification path with this installation's ``bb``.

Nothing is fetched. ``bb`` is started at the first proof and kept; it needs one point of the
reference string, which is the curve's generator.
"""

import os
import threading
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, Self

from adyton.adapters.barretenberg import WarmVerifier
from adyton.adapters.installation import Installation, find_installation
from adyton.adapters.library import load_circuits
from adyton.adapters.reference_string import verification_string
from adyton.appraisal.policy import Policy
from adyton.codec.json import Json
from adyton.evidence.collateral import NO_COLLATERAL, Collateral
from adyton.model.proving_receipt import ProvingReceipt
from adyton.model.receipt import Receipt
from adyton.model.verdict import Verdict
from adyton.verification.authenticate import EvidenceCache
from adyton.verification.bind import Expectation
from adyton.verification.delegated import ProvingExpectation
from adyton.verification.pipeline import verify_proving_receipt, verify_receipt

__all__ = ["OfflineVerifier", "receipt_of"]

_DEADLINE: Final = timedelta(seconds=20)


def receipt_of(value: Json) -> Receipt | ProvingReceipt:
    """Return the receipt in ``value``, or raise ``MalformedError``."""
    # RFC-0023's answer has no version; whatever names one is none.
    if isinstance(value, dict) and "version" in value:
        return ProvingReceipt.from_json(value)
    return Receipt.from_json(value)


class OfflineVerifier:
    """Verifies receipts; threads that share it take turns at the proof. ``close`` it."""

    def __init__(self, installation: Installation | None = None) -> None:
        self._installation = installation or find_installation(os.environ, home=Path.home())
        self._circuits = load_circuits(self._installation.circuits)
        self._cache = EvidenceCache()
        self._lock = threading.Lock()
        self._proofs: WarmVerifier | None = None

    def verify(
        self,
        receipt: Receipt,
        *,
        policy: Policy,
        expectation: Expectation,
        at: datetime,
        collateral: Collateral = NO_COLLATERAL,
    ) -> Verdict:
        """Return the verdict on ``receipt`` at the instant ``at``.

        Raises ``UnavailableError`` where the proof could not be checked.
        """
        return verify_receipt(
            receipt,
            policy=policy,
            expectation=expectation,
            circuits=self._circuits,
            verifier=self._verifier(),
            at=at,
            collateral=collateral,
            cache=self._cache,
        )

    def verify_proving(
        self,
        receipt: ProvingReceipt,
        *,
        policy: Policy,
        expectation: ProvingExpectation,
        at: datetime,
        collateral: Collateral = NO_COLLATERAL,
    ) -> Verdict:
        """Return the verdict on a receipt for a delegated proof at the instant ``at``.

        Raises ``UnavailableError`` where the proof could not be checked.
        """
        return verify_proving_receipt(
            receipt,
            policy=policy,
            expectation=expectation,
            verifier=self._verifier(),
            at=at,
            collateral=collateral,
            cache=self._cache,
        )

    def close(self) -> None:
        """End ``bb``."""
        with self._lock:
            if self._proofs is not None:
                self._proofs.close()
                self._proofs = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def _verifier(self) -> WarmVerifier:
        with self._lock:
            if self._proofs is None:
                self._proofs = WarmVerifier(
                    self._installation.require_bb(),
                    reference_string=verification_string(self._installation.cache / "verification"),
                    deadline=_DEADLINE,
                )
            return self._proofs
