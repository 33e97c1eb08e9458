"""How much ONG the holders of ONT are given. Sans-I/O.

Every ONT gives ONG each second, less from year to year, until a deadline of the network; on other
networks than the two public ones it never gives any. What governance is given after that is not
computed here.

Source: ``ontology.md`` 8.4; the node's ``native/utils/unbind_ong.go`` and
``common/constants/constants.go``, 26b5ad4f.
"""

from typing import Final

GENESIS_TIME: Final = 1_530_316_800
"""Seconds since the Unix epoch from which offsets count, 2018-06-30."""

MAIN_NET: Final = 1
POLARIS: Final = 2
SOLO: Final = 3

_YEAR_S: Final = 31_536_000
_RATES: Final = (5, 4, 3, 3, 2, 2, 2, *(1,) * 11)
"""By year: 10^-9 ONG per ONT and second."""

_DEADLINES: Final = {MAIN_NET: 63_763_200, POLARIS: 62_985_600}


def holder_deadline(network_id: int) -> int:
    """Return the offset, seconds since ``GENESIS_TIME``, from which holders are given nothing."""
    return _DEADLINES.get(network_id, 0)


def unbound_ong(balance: int, start: int, end: int, *, deadline: int) -> int:
    """Return what a balance was given in some time, 10^-9 ONG.

    Args:
        balance: whole ONT.
        start: offset of the first second, seconds since ``GENESIS_TIME``.
        end: offset behind the last second; before ``start`` nothing is given.
        deadline: see ``holder_deadline``.
    """
    end = min(end, deadline)
    per_ont = 0
    for year, rate in enumerate(_RATES):
        first, behind = max(start, year * _YEAR_S), min(end, (year + 1) * _YEAR_S)
        per_ont += rate * max(0, behind - first)
    return per_ont * balance
