"""A notary's settings, read once from the environment. What is wrong stops the start.

| variable | default | |
|---|---|---|
| ``ADYTON_STATE_DIR`` | ``$XDG_STATE_HOME/adyton`` | sockets, and the development root |
| ``ADYTON_NOTARY_SOCKET`` | ``notary.sock`` there | where the notary listens |
| ``ADYTON_LEDGER_DIR`` | ``ledger`` there | the journal, its index and the sealed state |
| ``ADYTON_LOG_ORIGIN`` | ``adyton.local/log`` | the name of the log in checkpoints |
| ``ADYTON_ANCHORS`` | ``sqlite`` | where the counter is anchored, by commas: a quorum |
| ``ADYTON_ANCHOR_PATIENCE_MS`` | 10000 | how long an anchor that does not answer is asked |
| ``ADYTON_PLATFORM`` | ``insecure`` | what vouches for the notary: ``insecure``, ``nitro`` |
| ``ADYTON_CHECKPOINT_MS`` | 500 | how often what is new gets a checkpoint |
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from adyton.adapters.environment import (
    SettingMalformedError,
    read_choice,
    read_number,
    read_socket,
    state_folder,
)
from adyton.adapters.platforms import PlatformName

__all__ = ["NotarySettings"]

_MOST_ANCHORS = 9
_MAX_ORIGIN = 128


@dataclass(frozen=True, slots=True, kw_only=True)
class NotarySettings:
    """Everything that the notary is told. An anchor's address may hold a password."""

    state: Path
    link: Path
    ledger: Path
    origin: str
    anchors: tuple[str, ...] = field(repr=False)
    anchor_patience: timedelta
    platform: PlatformName
    checkpoint_every: timedelta

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> "NotarySettings":
        """Return the settings in ``environ``, or raise ``SettingMalformedError``."""
        state = state_folder(environ)
        every = read_number(environ, "ADYTON_CHECKPOINT_MS", 500, low=1, high=1000)
        patience = read_number(environ, "ADYTON_ANCHOR_PATIENCE_MS", 10_000, low=1, high=20_000)
        return cls(
            state=state,
            link=read_socket(environ, "ADYTON_NOTARY_SOCKET", state / "notary.sock"),
            ledger=Path(environ.get("ADYTON_LEDGER_DIR") or state / "ledger").absolute(),
            origin=_origin(environ),
            anchors=_anchors(environ),
            anchor_patience=timedelta(milliseconds=patience),
            platform=read_choice(environ, "ADYTON_PLATFORM", PlatformName, PlatformName.INSECURE),
            checkpoint_every=timedelta(milliseconds=every),
        )


def _origin(environ: Mapping[str, str]) -> str:
    origin = environ.get("ADYTON_LOG_ORIGIN") or "adyton.local/log"
    if len(origin) > _MAX_ORIGIN or not origin.isprintable() or set(origin) & {" ", "+"}:
        reason = f"is not 1 to {_MAX_ORIGIN} printable characters without space and plus"
        raise SettingMalformedError(name="ADYTON_LOG_ORIGIN", reason=reason)
    return origin


def _anchors(environ: Mapping[str, str]) -> tuple[str, ...]:
    texts = (environ.get("ADYTON_ANCHORS") or "sqlite").split(",")
    anchors = tuple(text.strip() for text in texts if text.strip())
    if not 0 < len(anchors) <= _MOST_ANCHORS or len(set(anchors)) != len(anchors):
        reason = f"is not 1 to {_MOST_ANCHORS} different anchors"
        raise SettingMalformedError(name="ADYTON_ANCHORS", reason=reason)
    return anchors
