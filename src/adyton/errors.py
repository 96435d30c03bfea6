"""Every error of Adyton, in one tree with three branches, because a caller can do three things.

``MalformedError``: the bytes are not what their format says; do not send them again.
``RejectedError``: well formed, and the answer is no; do not retry, show the reason.
``UnavailableError``: no answer could be had; ask later, and never read it as a yes.

``code`` is stable and documented in ``docs/errors.md``; a message may improve at any time and never
holds a secret. A leaf lives beside the code that raises it.
"""

from typing import ClassVar

__all__ = [
    "AdytonError",
    "MalformedError",
    "RejectedError",
    "UnavailableError",
]


class AdytonError(Exception):
    """What every error of this project is: a message for people and a ``code`` for programs."""

    code: ClassVar[str] = "error"


class MalformedError(AdytonError):
    """The bytes are not what their format says."""

    code = "malformed"


class RejectedError(AdytonError):
    """Well formed, and the answer is no."""

    code = "rejected"


class UnavailableError(AdytonError):
    """No answer could be had."""

    code = "unavailable"
