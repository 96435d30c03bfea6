"""The vendors that the sandbox plays, in the shapes that their documents show."""

from typing import Final

from adyton.sandbox.exchange import Vendor
from adyton.sandbox.vendors.bureaus import EQUIFAX, EXPERIAN, TRANSUNION
from adyton.sandbox.vendors.employers import ADP, GUSTO, LINKEDIN
from adyton.sandbox.vendors.example import EXAMPLE
from adyton.sandbox.vendors.plaid import PLAID
from adyton.sandbox.vendors.registries import CLEARINGHOUSE, DMV, IRS
from adyton.sandbox.vendors.yodlee import YODLEE

__all__ = ["VENDORS"]

VENDORS: Final[tuple[Vendor, ...]] = (
    PLAID,
    YODLEE,
    ADP,
    GUSTO,
    LINKEDIN,
    CLEARINGHOUSE,
    EXPERIAN,
    EQUIFAX,
    TRANSUNION,
    IRS,
    DMV,
    EXAMPLE,
)
