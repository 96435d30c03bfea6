"""The claims of Google Confidential Space's tokens: "Attestation token claims" (Google Cloud).

Google's service looks at the machine's measurements and says which image runs; what it measured is
not in the token. The workload is a container, by the digest of its image.
"""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from adyton.errors import MalformedError
from adyton.evidence.token.members import Members
from adyton.evidence.token.reported import DEBUG_DISABLED, Reported, Tee
from adyton.model.verdict import finding

__all__ = ["read"]

_MODELS: Final[Mapping[str, Tee]] = MappingProxyType(
    {
        "GCP_AMD_SEV": Tee.SEV,
        "GCP_AMD_SEV_ES": Tee.SEV_ES,
        "GCP_AMD_SEV_SNP": Tee.SEV_SNP,
        "GCP_INTEL_TDX": Tee.TDX,
        "GCP_SHIELDED_VM": Tee.SHIELDED_VM,
    }
)
_IMAGE: Final = "CONFIDENTIAL_SPACE"
_DIGEST: Final = re.compile(r"sha256:([0-9a-f]{64})")
_MAX_NONCES: Final = 6
_MAX_NONCE: Final = 88


def read(claims: Members) -> Reported:
    """Return what Google says of a machine and the container in it, or raise ``MalformedError``."""
    model = claims.text("hwmodel")
    if model not in _MODELS:
        raise MalformedError(f"claims.hwmodel is {model[:64]!r}, which is not known here")
    nonces = claims.texts("eat_nonce")
    if len(nonces) > _MAX_NONCES or any(len(nonce) > _MAX_NONCE for nonce in nonces):
        raise MalformedError("claims.eat_nonce has more than 6 texts, or one of more than 88")
    software, tee = claims.text("swname"), _MODELS[model]
    submodules = claims.inner("submods")
    container, space = submodules.inner("container"), submodules.inner("confidential_space")
    return Reported(
        tee=tee,
        instance=claims.text("sub"),
        debug=claims.text_or_none("dbgstat") not in DEBUG_DISABLED,
        measurements=_digests(container),
        facts={
            "software": software,
            "software_version": ",".join(claims.texts("swversion")),
            "support_attributes": ",".join(space.texts("support_attributes")),
            **container.facts({"image_reference": "image_reference"}),
            **submodules.inner("gce").facts({"project_id": "project_id", "zone": "zone"}),
        },
        secure_boot=claims.flag("secboot"),
        nonces=tuple(nonce.encode() for nonce in nonces),
        doubts=(
            *(() if software == _IMAGE else (_OTHER_IMAGE,)),
            *(() if tee is not Tee.SHIELDED_VM else (_UNISOLATED,)),
        ),
    )


def _digests(container: Members) -> dict[str, bytes]:
    found = {}
    for name in ("image_digest", "image_id"):
        if container.has(name):
            if (match := _DIGEST.fullmatch(container.text(name))) is None:
                raise MalformedError(f"{container.where}.{name} is not sha256: and 64 digits")
            found[name] = bytes.fromhex(match[1])
    return found


_OTHER_IMAGE: Final = finding(
    "service-check-failed",
    "the machine does not run the image that keeps its operator out",
)
_UNISOLATED: Final = finding(
    "service-check-failed",
    "the machine has no hardware that isolates it from its host",
)
