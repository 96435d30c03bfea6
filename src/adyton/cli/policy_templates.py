"""Policies to start from, one for each platform, with what each field decides.

What has to be filled in is not valid on purpose: a template accepts nothing.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from adyton.model.claims import Platform

__all__ = ["TEMPLATES"]

_HEAD: Final = """\
# What you accept of {what}. Fill in the FILL-IN parts: until then this
# file is refused by every reader, because a template must not accept anything.
version: adyton/policy/v1

# The roots that evidence may be signed under. These are pinned in this program.
roots:
{roots}

platforms:
"""

_NITRO: Final = """\
  nitro:
    # An enclave in debug mode can be read from outside: its PCRs are all zero.
    debug: refused
    # Nitro's documents have no firmware versions to compare.
    tcb: not-required
    # Which images you accept: build the image yourself and take the PCRs of your own build.
    # PCR0 is the image, PCR1 kernel and boot, PCR2 the application. Several releases may be named.
    measurements:
      release-0.1.0:
        pcr0: "FILL-IN: 96 hexadecimal digits"
        pcr1: "FILL-IN: 96 hexadecimal digits"
        pcr2: "FILL-IN: 96 hexadecimal digits"
"""

# Intel's words, for both of its technologies.
_INTEL_TCB: Final = """\
    tcb:
      # Intel's words for the platform's state. SWHardeningNeeded asks the code to defend itself.
      statuses: [UpToDate, SWHardeningNeeded]
      # The advisories that a platform may be subject to: a list of their names, or any.
      advisories: []
      # For how many days after the date of its level an OutOfDate platform is accepted.
      grace_days: 0
      # The oldest of Intel's evaluations that collateral may be of, or not-required.
      minimum_evaluation_number: not-required
      # Security versions that may not be lower, by Intel's names.
      minimum_versions: {}
      # Lists of what was revoked must have been given.
      revocation: required
"""

_SGX: Final = (
    """\
  sgx:
    # A debug enclave can be read from outside.
    debug: refused
"""
    + _INTEL_TCB
    + """\
    # Which enclaves you accept. mr_enclave is the code; mr_signer alone accepts all that its
    # holder signs, of this product.
    measurements:
      release-0.1.0:
        mr_enclave: "FILL-IN: 64 hexadecimal digits"
        mr_signer: "FILL-IN: 64 hexadecimal digits"
        isv_prod_id: 0
"""
)

_TDX: Final = (
    """\
  tdx:
    # A TD under debug can be read from outside.
    debug: refused
"""
    + _INTEL_TCB
    + """\
    # Which TDs you accept. mr_td is the firmware, rtmr0 its configuration, rtmr1 kernel and
    # loader, rtmr2 and rtmr3 what the system measures. What is left out may be anything.
    measurements:
      release-0.1.0:
        mr_td: "FILL-IN: 96 hexadecimal digits"
        rtmr0: "FILL-IN: 96 hexadecimal digits"
        rtmr1: "FILL-IN: 96 hexadecimal digits"
        rtmr2: "FILL-IN: 96 hexadecimal digits"
"""
)

_SNP: Final = """\
  sev-snp:
    # A guest whose policy allows debugging can be read from outside.
    debug: refused
    tcb:
      # AMD has no words for a platform's state, and names no advisories: versions say it.
      statuses: not-required
      advisories: any
      grace_days: 0
      minimum_evaluation_number: not-required
      # The firmware's security versions, none of which may be lower (of Turin, fmc as well).
      minimum_versions: {bl: FILL-IN, tee: FILL-IN, snp: FILL-IN, ucode: FILL-IN}
      # AMD's list of what was revoked must have been given.
      revocation: required
    # Which guests you accept. host_data is the host's to choose, and id_key_digest an owner's.
    measurements:
      release-0.1.0:
        measurement: "FILL-IN: 96 hexadecimal digits"
"""

_GPU: Final = """\
  nvidia-gpu:
    # A GPU in devtools mode can be read from outside.
    debug: refused
    tcb:
      # NVIDIA's golden values say it: without them, or beside them, a GPU is refused.
      statuses: not-required
      advisories: any
      grace_days: 0
      minimum_evaluation_number: not-required
      minimum_versions: {}
      # Answers about the revocation of every certificate must have been given.
      revocation: required
    # Golden values say which firmware and driver; write not-required if they are enough for you.
    measurements: "FILL-IN: not-required"
"""

_TAIL: Final = """\
evidence:
  # How old evidence may be at the moment that it speaks for (of a receipt: when it was given).
  maximum_age_seconds: 900
  # required: count only evidence over a challenge that the verifier itself sent.
  challenge: not-required

receipt:
  # Whom a receipt must be for: a list of names, or not-required.
  audience: not-required
  # How old a receipt may be: seconds, or not-required.
  maximum_age_seconds: 86400
  # required: a receipt counts for the nonce that the verifier chose, and for no other.
  nonce: required
  # built-in: the verification keys that came with this program; or SHA-256 by circuit:
  #   balance_threshold: ["0123..."]          (adyton circuits lists them)
  circuits: built-in
  # any; or SHA-256 of each definition that you have read, by provider:
  #   plaid-balance: ["0123..."]              (adyton providers show ID)
  providers: any
  # Certificate authorities beside the image's that the worker may trust for data sources, as
  # SHA-256. Whoever has the key of one can play any provider: leave it empty.
  added_roots: []
  # request: raw data lived in processes that ended with the request. pooled: they were used again.
  isolation: [request]

# Receipts for delegated proofs; leave the section out to accept none.
proving:
  audience: not-required
  maximum_age_seconds: 86400
  nonce: required
  # any; or SHA-256 of the programs that may have been proven.
  circuits: any
  # any; or SHA-256 of the prover's program, which sees the witness (adyton doctor shows yours).
  provers: any
"""

_PARTS: Final[Mapping[Platform, tuple[str, tuple[str, ...], str]]] = MappingProxyType(
    {
        Platform.NITRO: ("a worker in an AWS Nitro enclave", ("aws-nitro",), _NITRO),
        Platform.SGX: ("an Intel SGX enclave", ("intel-sgx",), _SGX),
        Platform.TDX: ("an Intel TDX trust domain", ("intel-sgx",), _TDX),
        Platform.SEV_SNP: (
            "an AMD SEV-SNP guest",
            ("amd-milan", "amd-genoa", "amd-turin"),
            _SNP,
        ),
        Platform.NVIDIA_GPU: ("an NVIDIA GPU", ("nvidia-device", "nvidia-rim"), _GPU),
    }
)


def _written(what: str, roots: tuple[str, ...], part: str) -> str:
    named = "\n".join(f"  {root}: built-in" for root in roots)
    return f"{_HEAD.format(what=what, roots=named)}{part}\n{_TAIL}"


TEMPLATES: Final[Mapping[str, str]] = MappingProxyType(
    {platform.value: _written(*parts) for platform, parts in _PARTS.items()}
)
