"""Every setting as one row: name, kind, default, help. No I/O.

The command line options, the TOML keys, ``--help`` and the check of ``docs/configuration.md`` all
come from ``SETTINGS`` and ``LIMITS``.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import Enum
from typing import Any, Final

from twisted_chainws.chain.view import DEFAULT_DEPTHS
from twisted_chainws.config.model import Bounds
from twisted_chainws.dialects import ontology, zilliqa
from twisted_chainws.dialects.catalog import DIALECTS
from twisted_chainws.dialects.limits import UNLIMITED, Limits
from twisted_chainws.dialects.view import Profile
from twisted_chainws.dialects.zilliqa.encode import HashPlaces
from twisted_chainws.sources.devchain.accounts import WELL_KNOWN_MNEMONIC
from twisted_chainws.sources.devchain.settings import DevchainSettings

_DEV: Final = DevchainSettings()


class ConfigurationError(Exception):
    """The operator made a mistake; the text is one line fit for the terminal."""

    def __init__(self, place: str, expected: str) -> None:
        super().__init__(f"{place}: {expected}")


class Kind(Enum):
    """What a value is; the value of a member is how the expectation is worded."""

    INTEGER = "a whole number"
    NUMBER = "a number"
    TEXT = "a text"
    FLAG = "true or false"


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One option of the command line, which is also a key of the TOML file.

    Attributes:
        name: with hyphens, the same in both places.
        default: as it is shown to people; the value itself is in the settings it ends up in.
        help: one line.
        minimum: smallest value of a number; None means any.
        above: True when the minimum itself is refused.
        many: may be given several times; a list in TOML.
        network: describes a development chain, so may also stand in ``[network.NAME]``.
        choices: the only words allowed; empty means any.
        secret: what was written is not repeated in errors.
    """

    name: str
    kind: Kind
    default: str
    help: str
    minimum: float | None = None
    above: bool = False
    many: bool = False
    network: bool = False
    choices: tuple[str, ...] = ()
    secret: bool = False

    @property
    def expected(self) -> str:
        """What to write, for an error message."""
        if self.choices:
            return "one of " + ", ".join(self.choices)
        if self.minimum is None:
            return self.kind.value
        return f"{self.kind.value} {'above' if self.above else 'of at least'} {self.minimum:g}"


def _row(name: str, kind: Kind, default: object, text: str, **more: Any) -> Setting:
    return Setting(name=name, kind=kind, default=str(default), help=text, **more)


def _chain(name: str, kind: Kind, default: object, text: str, **more: Any) -> Setting:
    return _row(name, kind, default, text, network=True, **more)


SETTINGS: Final[tuple[Setting, ...]] = (
    _row(
        "listen",
        Kind.TEXT,
        "see below",
        "DIALECT=ENDPOINT, for example ethereum=tcp:8545; repeatable, replaces the defaults",
        many=True,
    ),
    _chain(
        "block-time",
        Kind.NUMBER,
        "mine each transaction at once",
        "seconds between blocks",
        minimum=0,
        above=True,
    ),
    _chain("no-mining", Kind.FLAG, "off", "mine only on command (evm_mine)"),
    _chain("chain-id", Kind.INTEGER, _DEV.chain_id, "chain id (EIP-155)", minimum=1),
    _chain("accounts", Kind.INTEGER, _DEV.accounts, "how many accounts are funded", minimum=0),
    _chain("balance", Kind.INTEGER, _DEV.balance_ether, "ether of each account", minimum=0),
    _chain("mnemonic", Kind.TEXT, WELL_KNOWN_MNEMONIC, "BIP-39 words of the accounts", secret=True),
    _chain("gas-limit", Kind.INTEGER, _DEV.gas_limit, "gas limit of a block", minimum=1),
    _chain(
        "timestamp", Kind.INTEGER, "now", "seconds since the epoch of the first block", minimum=0
    ),
    _chain(
        "seed",
        Kind.INTEGER,
        "fresh randomness",
        "with --timestamp: the same input gives the same bytes",
        minimum=0,
    ),
    _chain(
        "data-dir",
        Kind.TEXT,
        "a private temporary directory",
        "directory that keeps the chain between runs",
    ),
    _chain(
        "call-timeout",
        Kind.NUMBER,
        f"{_DEV.call_timeout_s:g}",
        "seconds an eth_call or an estimate may take",
        minimum=0,
        above=True,
    ),
    _chain("call-gas-cap", Kind.INTEGER, _DEV.call_gas_cap, "most gas of an eth_call", minimum=1),
    _chain("mine-cap", Kind.INTEGER, _DEV.mine_cap, "most blocks of a mining command", minimum=1),
    _chain(
        "genesis",
        Kind.TEXT,
        "a chain made of the settings above",
        "genesis file of go-ethereum: the chain and its forks up to Osaka",
    ),
    _chain(
        "import",
        Kind.TEXT,
        "nothing",
        "file of encoded blocks (geth export) to begin with; needs --genesis",
    ),
    _chain(
        "safe-depth",
        Kind.INTEGER,
        DEFAULT_DEPTHS.safe,
        "blocks between the newest and the safe one",
        minimum=0,
    ),
    _chain(
        "finalized-depth",
        Kind.INTEGER,
        DEFAULT_DEPTHS.finalized,
        "blocks between the newest and the finalized one",
        minimum=0,
    ),
    _chain(
        "confirmations",
        Kind.INTEGER,
        0,
        "blocks on top of one before Zilliqa and Ontology, which take nothing back, are told of it",
        minimum=0,
    ),
    _chain(
        "abi",
        Kind.TEXT,
        "none",
        "ADDRESS=FILE: a contract and the JSON file of its ABI, by which its events are named; "
        "repeatable",
        many=True,
    ),
    _chain("history", Kind.INTEGER, "all", "blocks kept below the newest one", minimum=64),
    _row(
        "allow-origin",
        Kind.TEXT,
        "loopback only",
        "browser origin that may connect besides loopback ones; repeatable",
        many=True,
    ),
    _row(
        "allow-host",
        Kind.TEXT,
        "loopback names and IP addresses",
        "name under which clients may reach this server besides those; repeatable",
        many=True,
    ),
    _row(
        "key",
        Kind.TEXT,
        "every key or none is accepted",
        "accepted API key; repeatable; better kept in the file than on the command line",
        many=True,
        secret=True,
    ),
    _row(
        "inactive-key",
        Kind.TEXT,
        "none",
        "API key that is known and refused with 403 App is inactive.; repeatable",
        many=True,
        secret=True,
    ),
    _row(
        "exhausted-key",
        Kind.TEXT,
        "none",
        "API key that is known and refused with 403 Monthly capacity limit exceeded.; repeatable",
        many=True,
        secret=True,
    ),
    _row(
        "profile",
        Kind.TEXT,
        Profile.SUPERSET,
        "whose method names and wording Ethereum listeners use",
        choices=tuple(Profile),
    ),
    _row(
        "mined-either",
        Kind.FLAG,
        "off",
        "inside one address filter of alchemy_minedTransactions from OR to may fit, not both must",
    ),
    _row(
        "no-announce-rollback",
        Kind.FLAG,
        "off",
        "take blocks away without a word to subscribers and filters (anvil_rollback, evm_revert)",
    ),
    _row(
        "zilliqa-errors",
        Kind.TEXT,
        zilliqa.DEFAULTS.errors,
        "how Zilliqa queries are refused: as the document says, or as nodes do",
        choices=tuple(zilliqa.ErrorForm),
    ),
    _row(
        "zilliqa-event-address",
        Kind.TEXT,
        zilliqa.DEFAULTS.event_address,
        "addresses in EventLog items: as nodes write them, or with 0x as the document does",
        choices=tuple(zilliqa.AddressForm),
    ),
    _row(
        "zilliqa-txhashes",
        Kind.TEXT,
        zilliqa.DEFAULTS.tx_hashes,
        "where NewBlock items have TxHashes: nodes write inside, the document says beside",
        choices=tuple(HashPlaces),
    ),
    _chain(
        "ontology-network",
        Kind.INTEGER,
        _DEV.ontology_network,
        "network id of Ontology: 1 main net and 2 Polaris, where ONT gives ONG; 3 solo, or another",
        minimum=0,
    ),
    _row(
        "ontology-pool-hashes",
        Kind.TEXT,
        ontology.DEFAULTS.pool_hashes,
        "how getmempooltxhashlist shows a hash: 32 numbers as nodes do, or hex",
        choices=tuple(ontology.PoolHashes),
    ),
    _row("show-keys", Kind.FLAG, "off", "print private keys of an own mnemonic, too"),
    _row("compression", Kind.FLAG, "off", "accept permessage-deflate"),
    _row("silent", Kind.FLAG, "off", "print no banner"),
)
"""All settings that are an option and a key of the same name."""

BY_NAME: Final[Mapping[str, Setting]] = {setting.name: setting for setting in SETTINGS}

NOT_BUILT: Final[Mapping[str, str]] = {
    "source": "another source than the development chain",
    "upstream": "following real nodes",
    "tape": "replaying a recording",
    "relay": "following another server",
    "fork-url": "forking a live network",
    "storage": "a journal on disk",
    "cluster": "several machines",
    "metrics": "metrics",
}
"""Words of the plan that are refused by name: option or key -> what it will be for."""


def _limits(shape: type) -> dict[str, Setting]:
    return {
        entry.name.replace("_", "-"): Setting(
            name=entry.name.replace("_", "-"),
            kind=Kind.INTEGER if isinstance(entry.default, int) else Kind.NUMBER,
            default=f"{entry.default:,}" if isinstance(entry.default, int) else str(entry.default),
            help="",
            minimum=entry.metadata.get(UNLIMITED, 1 if isinstance(entry.default, int) else 0),
            above=not isinstance(entry.default, int) and UNLIMITED not in entry.metadata,
        )
        for entry in fields(shape)
    }


CONNECTION_LIMITS: Final[Mapping[str, Setting]] = _limits(Limits)
"""Bounds of one connection: key of ``[limits]`` -> row."""

GLOBAL_LIMITS: Final[Mapping[str, Setting]] = _limits(Bounds)
"""Bounds of the whole server: key of ``[limits]`` -> row."""

LIMITS: Final[Mapping[str, Setting]] = {**CONNECTION_LIMITS, **GLOBAL_LIMITS}
"""Every key of ``[limits]`` and of ``--limit NAME=VALUE``."""

DIALECT_LIMITS: Final[Mapping[str, Setting]] = {
    f"{dialect.name}.{name}": setting
    for dialect in DIALECTS
    for name, setting in CONNECTION_LIMITS.items()
}
"""The same for the connections of one dialect: DIALECT.NAME, in ``[limits.DIALECT]`` the name."""


def decode_text(setting: Setting, place: str, text: str) -> Any:
    """Return the value that a command line option spells.

    Args:
        setting: its row.
        place: how to name it in an error, for example ``--chain-id``.
        text: what the operator wrote.

    Raises:
        ConfigurationError: it is not what the row wants.
    """
    value: Any = text
    try:
        if setting.kind is Kind.INTEGER:
            value = int(text, 0)
        elif setting.kind is Kind.NUMBER:
            value = float(text)
    except ValueError:
        raise _unexpected(setting, place, text) from None
    return decode_value(setting, place, value)


def decode_value(setting: Setting, place: str, value: Any) -> Any:
    """Return a TOML value when it is what the row wants.

    Raises:
        ConfigurationError: it is not.
    """
    if setting.kind is Kind.FLAG:
        fits = isinstance(value, bool)
    elif setting.kind is Kind.TEXT:
        fits = isinstance(value, str) and bool(value)
        fits = fits and (not setting.choices or value in setting.choices)
    else:
        types = int if setting.kind is Kind.INTEGER else (int, float)
        fits = isinstance(value, types) and not isinstance(value, bool) and math.isfinite(value)
        fits = fits and (setting.minimum is None or value >= setting.minimum)
        fits = fits and not (setting.above and value == setting.minimum)
    if not fits:
        raise _unexpected(setting, place, value)
    return value


def _unexpected(setting: Setting, place: str, value: Any) -> ConfigurationError:
    if setting.secret:
        return ConfigurationError(place, f"expected {setting.expected}")
    return ConfigurationError(place, f"expected {setting.expected}, got {value!r}")
