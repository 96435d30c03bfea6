"""Policies to start from, one for each platform, with what each field decides.

What has to be filled in is not valid on purpose: a template accepts nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from adyton.model.claims import Platform, VendorRoot

__all__ = ["TEMPLATES"]

_HEAD: Final = """\
# What you accept of {what}.
# Fill in the FILL-IN parts: until then this file is refused by every reader, because a template
# must not accept anything.
version: adyton/policy/v1

roots:
{roots}
platforms:
"""

# What follows a root of which nothing is built in: a key set is trusted as the file that it is.
_KEY_SET: Final = """\
  # The service's name as its tokens have it (iss), and SHA-256 of the file with its keys, which is
  # also given with --collateral: docs/evidence-tokens.md has the form.
"""
_PINNED: Final = """\
  # The roots that evidence may be signed under. These are pinned in this program.
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

_NITRO_TPM: Final = """\
  nitro-tpm:
    # An instance has no debug mode. Whoever runs it may log in, unless its image keeps them out.
    debug: refused
    # AWS's documents have no firmware versions to compare.
    tcb: not-required
    # Which images you accept. pcr4 is the boot loader or the unified kernel image, pcr7 what secure
    # boot lets start, pcr12 what was added to the kernel's command line.
    measurements:
      release-0.1.0:
        pcr4: "FILL-IN: 96 hexadecimal digits"
        pcr7: "FILL-IN: 96 hexadecimal digits"
        pcr12: "FILL-IN: 96 hexadecimal digits"
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
        isv_prod_id: "FILL-IN: a number"
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

_AMD_TCB: Final = """\
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
"""

_SNP: Final = (
    """\
  sev-snp:
    # A guest whose policy allows debugging can be read from outside.
    debug: refused
"""
    + _AMD_TCB
    + """\
    # Which guests you accept. host_data is the host's to choose, and id_key_digest an owner's.
    measurements:
      release-0.1.0:
        measurement: "FILL-IN: 96 hexadecimal digits"
"""
)

# What the hardware measured of an Azure machine is Azure's own code; the rest is in the vTPM.
_VTPM: Final = """\
        # The system above it, as the vTPM measured it: pcr4 is the boot loader, pcr7 what secure
        # boot lets start. GRUB has the rest in pcr8 and pcr9, a unified kernel image in pcr11.
        pcr4: "FILL-IN: 64 hexadecimal digits"
        pcr7: "FILL-IN: 64 hexadecimal digits"
"""

_AZURE_TDX: Final = (
    """\
  azure-tdx:
    # A TD under debug can be read from outside.
    debug: refused
"""
    + _INTEL_TCB
    + """\
    # Which machines you accept. mr_td is what Azure starts first, below your system.
    measurements:
      release-0.1.0:
        mr_td: "FILL-IN: 96 hexadecimal digits"
"""
    + _VTPM
)

_AZURE_SNP: Final = (
    """\
  azure-sev-snp:
    # A guest whose policy allows debugging can be read from outside.
    debug: refused
"""
    + _AMD_TCB
    + """\
    # Which machines you accept. measurement is what Azure starts first, below your system.
    measurements:
      release-0.1.0:
        measurement: "FILL-IN: 96 hexadecimal digits"
"""
    + _VTPM
)

# After the name of the kind of device.
_NVIDIA_DEVICE: Final = """\
    # A device in devtools mode can be read from outside.
    debug: refused
    tcb:
      # NVIDIA's golden values say it: without them, or beside them, a device is refused.
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

_INTEL_TRUST_AUTHORITY: Final = """\
  intel-trust-authority:
    # An enclave or a TD under debug can be read from outside.
    debug: refused
    tcb:
      # Intel's words for the platform's state, as the service says them.
      statuses: [UpToDate, SWHardeningNeeded]
      # The advisories that a platform may be subject to: a list of their names, or any.
      advisories: []
      # For how many days after the date of its level an OutOfDate platform is accepted.
      grace_days: 0
      # Which collateral it looked at, and whether at any lists, the service does not say.
      minimum_evaluation_number: not-required
      minimum_versions: {}
      revocation: not-required
    # Which code you accept. Of a TD: mr_td is the firmware, rtmr1 kernel and loader; rtmr0, rtmr2
    # and rtmr3 may be named, too. Of an enclave: mr_enclave, mr_signer and isv_prod_id instead.
    measurements:
      release-0.1.0:
        mr_td: "FILL-IN: 96 hexadecimal digits"
        rtmr1: "FILL-IN: 96 hexadecimal digits"
"""

_AZURE_ATTESTATION: Final = """\
  azure-attestation:
    # What a debugger can be attached to can be read from outside.
    debug: refused
    # Of TDX the service says Intel's word for the platform's state (statuses: [UpToDate]), of
    # SEV-SNP versions alone: expression: claims.numbers.snp >= 20 && claims.numbers.ucode >= 200
    tcb: not-required
    # Which code you accept. measurement is what Azure starts first in an SEV-SNP machine; of TDX
    # that is mr_td. Your system above it is not in a token. Of an SGX enclave: mr_enclave.
    measurements:
      release-0.1.0:
        measurement: "FILL-IN: 96 hexadecimal digits"
"""

_GOOGLE_CONFIDENTIAL_SPACE: Final = """\
  google-confidential-space:
    # The machine's operator can look into an image for debugging.
    debug: refused
    # The service says nothing of firmware.
    tcb: not-required
    # Which containers you accept, by the digest of their image: what follows sha256: in its name.
    measurements:
      release-0.1.0:
        image_digest: "FILL-IN: 64 hexadecimal digits"
    # Whom the token has to be for: whoever it is shown to could show it elsewhere.
    expression: claims.details.audience == ["FILL-IN: https://you.example"]
"""

_NVIDIA_NRAS: Final = """\
  nvidia-nras:
    # A device in devtools mode can be read from outside.
    debug: refused
    # Whether firmware and driver are good, the service says; it names no state of the platform.
    tcb: not-required
    # A token has no measurements: the service compared them. Write not-required if that is enough
    # for you. Versions are in claims.details.devices, for an expression.
    measurements: "FILL-IN: not-required"
"""

_EVIDENCE: Final = """\
evidence:
  # How old evidence may be at the moment that it speaks for (of a receipt: when it was given).
  maximum_age_seconds: 900
  # required: count only evidence over a challenge that the verifier itself sent.
  challenge: not-required
  # What it has to be over, whoever verifies it says: --report-data, --nonce or --public-key. To
  # accept evidence that is over nothing which you know: binding: not-required
"""

# For what a worker runs on.
_RECEIPTS: Final = """\

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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Template:
    """One platform's policy in its parts; ``has_receipts`` where a worker can run on it."""

    what: str
    roots: str
    platform: str
    has_receipts: bool = False

    def __str__(self) -> str:
        head = _HEAD.format(what=self.what, roots=self.roots)
        return f"{head}{self.platform}\n{_EVIDENCE}{_RECEIPTS if self.has_receipts else ''}"


def _built_in(*names: VendorRoot) -> str:
    return _PINNED + "".join(f"  {name}: built-in\n" for name in names)


def _key_set(issuer: str) -> str:
    return f'{_KEY_SET}  "{issuer}": "FILL-IN: 64 hexadecimal digits"\n'


_AMD_ROOTS: Final = _built_in(VendorRoot.AMD_MILAN, VendorRoot.AMD_GENOA, VendorRoot.AMD_TURIN)
_INTEL_ROOTS: Final = _built_in(VendorRoot.INTEL_SGX)
_NVIDIA_ROOTS: Final = _built_in(VendorRoot.NVIDIA_DEVICE, VendorRoot.NVIDIA_RIM)
_BY_PLATFORM: Final[Mapping[Platform, _Template]] = MappingProxyType(
    {
        Platform.NITRO: _Template(
            what="a worker in an AWS Nitro enclave",
            roots=_built_in(VendorRoot.AWS_NITRO),
            platform=_NITRO,
            has_receipts=True,
        ),
        Platform.NITRO_TPM: _Template(
            what="an AWS instance with a NitroTPM",
            roots=_built_in(VendorRoot.AWS_NITRO),
            platform=_NITRO_TPM,
        ),
        Platform.SGX: _Template(
            what="an Intel SGX enclave", roots=_INTEL_ROOTS, platform=_SGX, has_receipts=True
        ),
        Platform.TDX: _Template(
            what="an Intel TDX trust domain", roots=_INTEL_ROOTS, platform=_TDX
        ),
        Platform.SEV_SNP: _Template(what="an AMD SEV-SNP guest", roots=_AMD_ROOTS, platform=_SNP),
        Platform.AZURE_TDX: _Template(
            what="an Azure machine on Intel TDX", roots=_INTEL_ROOTS, platform=_AZURE_TDX
        ),
        Platform.AZURE_SEV_SNP: _Template(
            what="an Azure machine on AMD SEV-SNP", roots=_AMD_ROOTS, platform=_AZURE_SNP
        ),
        Platform.NVIDIA_GPU: _Template(
            what="an NVIDIA GPU",
            roots=_NVIDIA_ROOTS,
            platform=f"  nvidia-gpu:\n{_NVIDIA_DEVICE}",
        ),
        Platform.NVIDIA_SWITCH: _Template(
            what="an NVIDIA NVSwitch",
            roots=_NVIDIA_ROOTS,
            platform=f"  nvidia-switch:\n{_NVIDIA_DEVICE}",
        ),
        Platform.INTEL_TRUST_AUTHORITY: _Template(
            what="a token of Intel Trust Authority",
            roots=_key_set("https://portal.trustauthority.intel.com"),
            platform=_INTEL_TRUST_AUTHORITY,
        ),
        Platform.AZURE_ATTESTATION: _Template(
            what="a token of Azure Attestation",
            roots=_key_set("FILL-IN: https://sharedweu.weu.attest.azure.net"),
            platform=_AZURE_ATTESTATION,
        ),
        Platform.GOOGLE_CONFIDENTIAL_SPACE: _Template(
            what="a token of Google Confidential Space",
            roots=_built_in(VendorRoot.GOOGLE_CONFIDENTIAL_SPACE),
            platform=_GOOGLE_CONFIDENTIAL_SPACE,
        ),
        Platform.NVIDIA_NRAS: _Template(
            what="a token of NVIDIA's attestation service",
            roots=_built_in(VendorRoot.NVIDIA_NRAS),
            platform=_NVIDIA_NRAS,
        ),
    }
)

TEMPLATES: Final[Mapping[str, str]] = MappingProxyType(
    {platform.value: str(template) for platform, template in _BY_PLATFORM.items()}
)
