"""The vendors that the sandbox plays, a module each, in the shapes that their documents show."""

from typing import Final

from adyton.sandbox.exchange import Vendor
from adyton.sandbox.vendors.plaid import PLAID

__all__ = ["VENDORS"]

VENDORS: Final[tuple[Vendor, ...]] = (PLAID,)
