"""What a handler may read. Sans-I/O. Imports only the chain."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, Protocol

from twisted_chainws import __version__
from twisted_chainws.chain.ops import Advance
from twisted_chainws.chain.view import ChainView

SERVER: Final = f"chainws/v{__version__}"
"""Name and version of this server, whatever the profile."""


class Profile(StrEnum):
    """Whose names and wording an Ethereum listener uses; nothing else depends on it."""

    SUPERSET = "superset"
    GETH = "geth"
    ANVIL = "anvil"
    ALCHEMY = "alchemy"
    TOKENVIEW = "tokenview"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the operator decided and handlers may look at.

    Attributes:
        client_version: answer of ``web3_clientVersion`` and its like, in the words of the profile.
        network_id: usually the chain id.
        development: True when the source is a development chain.
        query_alternatives: addresses or topics per search position of a log filter.
        max_logs: results of one log query.
        mined_either: whether ``from`` and ``to`` inside one address filter of
            ``alchemy_minedTransactions`` are alternatives; its page does not say, both must fit.
    """

    profile: Profile
    client_version: str
    network_id: int
    development: bool
    query_alternatives: int = 1_000
    max_logs: int = 100_000
    mined_either: bool = False


class Projection(Protocol):
    """The chain as the ledger of one family: a pure fold over operations, exactly undone."""

    def apply(self, advance: Advance) -> None:
        """Take the undone blocks away, newest first, and put the applied ones on top."""


@dataclass(slots=True, kw_only=True)
class View:
    """What a handler may read.

    Attributes:
        chain: the model: blocks, transactions, pool.
        ledger: this dialect's projection of it.
        settings: what the operator decided.
        sessions: connections that speak this dialect now.
    """

    chain: ChainView
    ledger: Any
    settings: Settings
    sessions: int = 0
