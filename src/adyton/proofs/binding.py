"""What an answer is bound to: the asker's nonce, the source, the provider's definition, the time.

These are the first public inputs of every circuit (``docs/protocol.md``, section 4). A circuit does
not look into them, except for the day: they are there so that a proof is of one answer only.
"""

from dataclasses import dataclass
from typing import Final

from adyton.crypto.hashing import FIELD_MODULUS, hash_to_field
from adyton.model.value import DataSource
from adyton.proofs.abi import AbiValue

__all__ = ["SECONDS_PER_DAY", "Binding", "text_hash"]

SECONDS_PER_DAY: Final = 86_400
_MAX_TIME: Final = 2**64 - 1
_TEXT_DOMAIN: Final = "adyton/text/v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Binding:
    """Three field elements and the time of the answer, in Unix seconds."""

    nonce: int
    data_source: int
    provider: int
    time: int

    def __post_init__(self) -> None:
        """Refuse what no circuit takes."""
        if not all(
            0 <= element < FIELD_MODULUS
            for element in (self.nonce, self.data_source, self.provider)
        ):
            raise ValueError("a part of the binding is not a field element")
        if not 0 <= self.time <= _MAX_TIME:
            raise ValueError("time is not an unsigned integer of 64 bits")

    @classmethod
    def of(
        cls,
        *,
        nonce: str,
        audience: str,
        source: DataSource,
        provider_digest: bytes,
        time: int,
    ) -> "Binding":
        """Return the binding of an answer, as prover and verifier compute it from a statement."""
        return cls(
            nonce=hash_to_field("adyton/nonce/v1", nonce.encode(), audience.encode()),
            data_source=hash_to_field(
                "adyton/data-source/v1", source.name.encode(), source.institution.encode()
            ),
            provider=hash_to_field("adyton/provider/v1", provider_digest),
            time=time,
        )

    @property
    def today(self) -> int:
        """The day of the answer, counted from 1970-01-01 in UTC."""
        return self.time // SECONDS_PER_DAY

    def values(self) -> dict[str, AbiValue]:
        """Return the structure that circuits take."""
        return {
            "nonce": self.nonce,
            "data_source": self.data_source,
            "provider": self.provider,
            "time": self.time,
        }


def text_hash(text: str) -> int:
    """Return the field element that stands for ``text`` in a circuit: never its words."""
    return hash_to_field(_TEXT_DOMAIN, text.encode())
