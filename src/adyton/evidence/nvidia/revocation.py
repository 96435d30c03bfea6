"""Whether certificates of a path were taken back: answers (OCSP) about each of them.

A root is pinned, not revoked; and the last certificate of a device was made by the device itself,
for which nobody else keeps a list. All others are NVIDIA's to take back.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from types import MappingProxyType
from typing import Final

from adyton.crypto.ocsp import (
    CertificateStatus,
    OcspAnswer,
    OcspRejectedError,
    ocsp_subject,
    verify_ocsp,
)
from adyton.crypto.path import Certificate, Path
from adyton.crypto.suites import ES384
from adyton.model.window import Window

__all__ = ["Link", "Revocation", "check_revocation", "links_of"]

_WHERE: Final = "the answer about revocation"


@dataclass(frozen=True, slots=True, kw_only=True)
class Revocation:
    """What is known of the revocation of some certificates, by their common names.

    ``missing`` are those about which nobody was asked. ``windows`` are the times for which the
    answers speak.
    """

    statuses: Mapping[str, CertificateStatus]
    missing: tuple[str, ...]
    windows: tuple[Window, ...]

    @property
    def on_hold(self) -> tuple[str, ...]:
        """The certificates that are revoked for the time being."""
        return tuple(
            name for name, found in self.statuses.items() if found is CertificateStatus.ON_HOLD
        )


def check_revocation(
    paths: Mapping[str, tuple[Path, bool]], answers: Sequence[bytes], *, at: datetime
) -> Revocation:
    """Return what ``answers`` say of the certificates in ``paths``, or raise.

    A path is found by whose it is, with whether its last certificate can be taken back.

    1. Each answer is about one of these certificates.
    2. It is authentic, by the steps of ``verify_ocsp``, and speaks for ``at``.
    3. It says neither that the certificate is revoked nor that it is unknown.

    All answers about a certificate are looked at: a good one does not outweigh another.
    """
    links = links_of(paths)
    subjects = [ocsp_subject(der, where=_WHERE) for der in answers]
    statuses: dict[str, CertificateStatus] = {}
    windows: list[Window] = []
    verified: dict[int, OcspAnswer] = {}
    missing: list[str] = []
    for link in links:
        before = len(windows)
        for number, subject in enumerate(subjects):
            if not subject.is_about(link.certificate, link.issuer):
                continue
            # Steps 2 and 3: two RIMs share authorities, whose issuers have one name and one key.
            if number not in verified:
                verified[number] = _answer(answers[number], link, at)
            answer = verified[number]
            is_held = statuses.get(link.name) is CertificateStatus.ON_HOLD
            statuses[link.name] = CertificateStatus.ON_HOLD if is_held else answer.status
            windows.append(Window(name=link.name, first=answer.first, last=answer.last))
        # By certificate, for two might have one name.
        if len(windows) == before:
            missing.append(link.name)
    # Step 1: an answer that nobody needs may have been about one of these before it was changed.
    if len(verified) != len(answers):
        raise OcspRejectedError(where=_WHERE, reason="is about none of the certificates")
    return Revocation(
        statuses=MappingProxyType(statuses),
        missing=tuple(missing),
        windows=tuple(windows),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A certificate that can be taken back, and who can."""

    name: str
    certificate: Certificate
    issuer: Certificate


def links_of(paths: Mapping[str, tuple[Path, bool]]) -> list[Link]:
    """Return what can be taken back of ``paths``, as ``check_revocation`` has them."""
    return [
        Link(name=f"{owner}: {certificate.common_name}", certificate=certificate, issuer=issuer)
        for owner, (path, leaf_included) in paths.items()
        for issuer, certificate in list(pairwise(path.certificates))[
            : None if leaf_included else -1
        ]
    ]


def _answer(der: bytes, link: Link, at: datetime) -> OcspAnswer:
    where = f"{_WHERE} of {link.name}"
    answer = verify_ocsp(
        der, certificate=link.certificate, issuer=link.issuer, suite=ES384, where=where
    )
    answer.check_valid(at, where=where)
    answer.check_not_revoked(where=link.name)
    return answer
