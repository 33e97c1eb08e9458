"""Makers of subscription and filter ids; the randomness is passed in. Sans-I/O."""

from collections.abc import Callable

_LOWEST = 1 << 124
_CHOICES = 15 << 124


def id_maker(random_bytes: Callable[[int], bytes]) -> Callable[[], str]:
    """Make a maker of ids: ``0x`` and 32 lower-case hex digits, the first one never zero.

    Source: ``ethereum.md`` 2.1. Geth strips leading zeros and Alchemy has exactly 32 digits; an id
    that does not start with a zero satisfies both.

    Args:
        random_bytes: returns as many random bytes as it is asked for, like ``os.urandom``.
    """

    def make_id() -> str:
        drawn = int.from_bytes(random_bytes(16), "big")
        return f"0x{_LOWEST + drawn % _CHOICES:032x}"

    return make_id
