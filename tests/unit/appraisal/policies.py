"""A policy that says something in every field, and ways to change it."""

import copy
from typing import Any, Final

from adyton.codec.json import JsonObject

GOOD: Final[JsonObject] = {
    "version": "adyton/policy/v1",
    "roots": {"aws-nitro": "built-in", "intel-sgx": "built-in", "laptop": "ab" * 32},
    "platforms": {
        "nitro": {
            "debug": "refused",
            "tcb": "not-required",
            "measurements": {
                "worker-0.1.0": {"pcr0": "0a" * 48, "pcr1": "0b" * 48, "pcr2": "0c" * 48},
                "worker-0.2.0": {"pcr0": "1a" * 48, "pcr8": "0d" * 48},
            },
        },
        "tdx": {
            "debug": "refused",
            "tcb": {
                "statuses": ["SWHardeningNeeded", "UpToDate"],
                "advisories": ["INTEL-SA-00615"],
                "grace_days": 30,
                "minimum_evaluation_number": 17,
                "minimum_versions": {"pce_svn": 11},
                "revocation": "required",
            },
            "measurements": {
                "td": {"mr_td": ["0e" * 48, "0f" * 48], "isv_svn": 2, "rtmr0": "aa" * 48}
            },
            "findings": ["sept-ve-not-disabled"],
            "expression": "claims.numbers.isv_svn >= 2",
        },
        "insecure": {"debug": "accepted", "tcb": "not-required", "measurements": "not-required"},
    },
    "evidence": {"maximum_age_seconds": 3600, "challenge": "not-required"},
    "receipt": {
        "audience": ["https://shop.example"],
        "maximum_age_seconds": "not-required",
        "nonce": "required",
        "circuits": {"balance_threshold": ["cd" * 32]},
        "providers": {"plaid-balance": ["ef" * 32, "ee" * 32]},
        "added_roots": [],
        "isolation": ["request"],
    },
    "proving": {
        "audience": ["https://shop.example"],
        "maximum_age_seconds": 3600,
        "nonce": "required",
        "circuits": "any",
        "provers": ["9c" * 32],
    },
}


def changed(path: str, value: Any) -> JsonObject:
    """Return the good policy with the field at ``path`` replaced; ``...`` leaves it out."""
    policy = copy.deepcopy(GOOD)
    *parents, name = path.split("/")
    section: Any = policy
    for parent in parents:
        section = section[parent]
    if value is ...:
        del section[name]
    else:
        section[name] = value
    return policy
