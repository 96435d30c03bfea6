from typing import Any

import pytest
from tests.fakes.intel import NOW, FakeIntel
from tests.fakes.intel_azure import FakeAzure

from adyton.evidence.azure.claims import claims_of_azure_tdx
from adyton.evidence.azure.tdx import authenticate

INTEL = FakeIntel()


def claims_of(configuration: dict[str, Any]) -> Any:
    bundle = FakeAzure(INTEL).bundle(runtime={"vm-configuration": configuration})
    return claims_of_azure_tdx(authenticate(bundle, roots=INTEL.roots, at=NOW))


def test_what_the_guest_asked_for_is_in_the_tpms_quote() -> None:
    vm = authenticate(FakeAzure(INTEL).bundle(), roots=INTEL.roots, at=NOW)
    claims = claims_of_azure_tdx(vm)
    assert claims.report_data == vm.vtpm.nonce != vm.tdx.report.report_data
    registers = {f"pcr{index}": value for index, value in vm.vtpm.registers.items()}
    assert registers.items() <= claims.measurements.items()
    assert claims.measurements["mr_td"] == vm.tdx.report.mr_td
    # Neither the quote nor the TPM's statement alone says which evidence this is.
    assert claims.signed_sha256 not in {vm.tdx.dcap.signed_sha256, vm.vtpm.signed_sha256}


@pytest.mark.parametrize(
    ("configuration", "codes"),
    [
        ({"secure-boot": True}, []),
        ({"secure-boot": False}, ["vm-secure-boot-off"]),
        ({"secure-boot": "true"}, ["vm-secure-boot-off"]),
        ({"secure-boot": 1}, ["vm-secure-boot-off"]),
        ({}, ["vm-secure-boot-off"]),
    ],
)
def test_each_thing_against_a_vm_is_a_finding(
    configuration: dict[str, Any], codes: list[str]
) -> None:
    assert [finding.code for finding in claims_of(configuration).configuration] == codes
