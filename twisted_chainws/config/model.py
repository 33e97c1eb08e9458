"""The frozen values that a configuration becomes. No I/O, no behaviour."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from twisted_chainws.chain.types import Address20
from twisted_chainws.chain.view import Depths
from twisted_chainws.dialects import ontology, zilliqa
from twisted_chainws.dialects.limits import UNLIMITED, Limits
from twisted_chainws.dialects.view import Profile
from twisted_chainws.sources.devchain.settings import DevchainSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """The bounds of the whole server; each is a key of ``[limits]``.

    Attributes:
        filters: polled filters of one network and dialect.
        filter_items: waiting items of one polled filter.
        filter_lifetime_s: seconds after which a filter that nobody polled is removed.
        query_alternatives: addresses or topics per search position of a log filter.
        max_logs: results of one log query.
        connections_per_key: WebSocket connections that one API key may have.
        compute_units_per_s: compute units that one API key may spend.
        compute_burst_s: seconds for which unspent compute units are saved up.
        request_timeout_s: of an HTTP request, reading and answering it each.
        idle_timeout_s: of an HTTP connection between requests.
    """

    filters: int = 10_000
    filter_items: int = 10_000
    filter_lifetime_s: float = 300.0
    query_alternatives: int = 1_000
    max_logs: int = 100_000
    connections_per_key: int = 20_000
    compute_units_per_s: int = field(default=0, metadata={UNLIMITED: 0})
    compute_burst_s: float = 10.0
    request_timeout_s: float = 30.0
    idle_timeout_s: float = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Listener:
    """Where one dialect is spoken.

    Attributes:
        dialect: its name; None when the path or the first message chooses (the word ``any``).
        endpoint: a Twisted server endpoint description that names its interface.
        outside: True when the interface named is not loopback.
    """

    dialect: str | None
    endpoint: str
    outside: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """One chain.

    Attributes:
        name: lower case; the route picks it, and every route leads to the only one.
        devchain: how its development chain is made.
        history: blocks kept below the newest one; None keeps all.
        depths: which blocks are the safe and the finalized one.
        abis: contracts and the files of the ABIs by which their events are named.
        confirmations: blocks on top of one before it is told of where nothing can be taken back.
    """

    name: str
    devchain: DevchainSettings = field(repr=False)
    history: int | None
    depths: Depths
    confirmations: int
    abis: tuple[tuple[Address20, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """Everything that was decided.

    Attributes:
        listeners: in the order given.
        networks: never empty; the first one answers where the route names none.
        allow_origins: browser origins besides the loopback ones.
        allow_hosts: names of this server besides loopback ones, as browsers write them.
        keys: accepted API keys; empty means every key and none.
        inactive_keys: known ones that are refused as inactive.
        exhausted_keys: known ones that are refused as used up.
        limits: what was configured of the bounds of a connection, over each dialect's defaults:
            names for all dialects, ``dialect.name`` for one.
        compression: whether permessage-deflate is accepted.
        mined_either: whether one party of an address filter for mined transactions is enough.
        announce_rollback: whether subscribers and filters hear of a rollback.
        zilliqa: the wording of Zilliqa listeners.
        ontology: the network and the wording of Ontology listeners.
        show_keys: print private keys of any mnemonic.
        silent: print no banner.
    """

    listeners: tuple[Listener, ...]
    networks: tuple[Network, ...]
    profile: Profile
    allow_origins: tuple[str, ...]
    allow_hosts: tuple[str, ...]
    keys: tuple[str, ...] = field(repr=False)
    inactive_keys: tuple[str, ...] = field(repr=False)
    exhausted_keys: tuple[str, ...] = field(repr=False)
    limits: Mapping[str, float]
    bounds: Bounds
    compression: bool
    mined_either: bool
    announce_rollback: bool
    zilliqa: zilliqa.Options
    ontology: ontology.Options
    show_keys: bool
    silent: bool

    def limits_of(self, dialect: str, defaults: Limits) -> Limits:
        """Return the bounds of a connection: ``defaults`` with what was configured.

        What is said of one dialect counts more than what is said of all.
        """
        own = {
            name.removeprefix(f"{dialect}."): value
            for name, value in self.limits.items()
            if name.startswith(f"{dialect}.")
        }
        common = {name: value for name, value in self.limits.items() if "." not in name}
        return replace(defaults, **(common | own))  # type: ignore[arg-type]

    def spoken(self, dialects: Iterable[str]) -> frozenset[str]:
        """Return which of the known dialects are spoken on any listener."""
        named = {listener.dialect for listener in self.listeners}
        return frozenset(name for name in dialects if name in named or None in named)
