"""From command line options and the text of a TOML file to a ``Configuration``. No I/O.

An option beats the file. In the file, a development chain's key may stand at the top, for every
network, or in ``[network.NAME]``, for that one; the nearer one counts.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import PurePath
from typing import Any, Final

from twisted_chainws.chain.types import Address20
from twisted_chainws.chain.view import DEFAULT_DEPTHS, Depths
from twisted_chainws.config.endpoints import default_listeners, read_listener
from twisted_chainws.config.model import Bounds, Configuration, Listener, Network
from twisted_chainws.config.table import (
    BY_NAME,
    CONNECTION_LIMITS,
    DIALECT_LIMITS,
    GLOBAL_LIMITS,
    LIMITS,
    NOT_BUILT,
    ConfigurationError,
    Setting,
    decode_text,
    decode_value,
)
from twisted_chainws.dialects import ontology, zilliqa
from twisted_chainws.dialects.catalog import DIALECTS
from twisted_chainws.dialects.view import Profile
from twisted_chainws.dialects.zilliqa.encode import HashPlaces
from twisted_chainws.sources.devchain.settings import DevchainSettings

ONLY_NETWORK: Final = "devchain"
"""Name of the network where the file has no ``[network.NAME]``."""

CHAIN_IDS: Final = {"eth": 1, "etc": 61, "bsc": 56, "kcc": 321, "kcs": 321}
"""Chain ids of networks of these names where none is configured. Source: ``ethereum.md`` 1.1."""

_NETWORK_NAME: Final = re.compile(r"[a-z0-9][a-z0-9_-]*")
_DEVCHAIN_FIELDS: Final = {
    "balance": "balance_ether",
    "call-timeout": "call_timeout_s",
    "genesis": "genesis_file",
    "import": "import_file",
}
_NOT_OF_THE_SOURCE: Final = (
    "no-mining", "history", "safe-depth", "finalized-depth", "confirmations", "abi",
)  # fmt: skip
_ADDRESS: Final = re.compile(r"0x[0-9a-fA-F]{40}")
_TOLD_BY_GENESIS: Final = ("chain-id", "balance", "gas-limit", "timestamp")

Values = dict[str, Any]
"""Name of a setting -> decoded value; only what was given."""


def read_configuration(
    options: Mapping[str, str | list[str] | bool],
    text: str = "",
    file_name: str = "configuration",
) -> Configuration:
    """Return what options and file say together, with defaults for the rest.

    Args:
        options: option name without hyphens in front -> what was written; a list where the option
            may be repeated, True for a flag; only those given. ``limit`` holds NAME=VALUE texts.
        text: of the TOML file.
        file_name: for error messages.

    Raises:
        ConfigurationError: one line naming file or option, key and what was expected.
    """
    given, given_limits = _read_options(options)
    document = _parse(text, file_name)
    tables = _table(document.pop("network", {}), file_name, "network")
    limits = _read_limits(_table(document.pop("limits", {}), file_name, "limits"), file_name)
    limits |= given_limits
    top = _read_table(document, file_name, network=False)
    networks = _networks(top, tables, given, file_name)
    chosen = top | given
    bounds: dict[str, Any] = {
        _field(name): limits[name] for name in GLOBAL_LIMITS if name in limits
    }
    return Configuration(
        listeners=_listeners(top, given, file_name),
        networks=networks,
        profile=Profile(chosen.get("profile", Profile.SUPERSET)),
        allow_origins=tuple(chosen.get("allow-origin", ())),
        allow_hosts=tuple(chosen.get("allow-host", ())),
        keys=tuple(chosen.get("key", ())),
        inactive_keys=tuple(chosen.get("inactive-key", ())),
        exhausted_keys=tuple(chosen.get("exhausted-key", ())),
        limits={
            _field(name): limits[name]
            for name in (*CONNECTION_LIMITS, *DIALECT_LIMITS)
            if name in limits
        },
        bounds=replace(Bounds(), **bounds),
        compression=chosen.get("compression", False),
        mined_either=chosen.get("mined-either", False),
        announce_rollback=not chosen.get("no-announce-rollback", False),
        zilliqa=_zilliqa(chosen),
        ontology=_ontology(chosen, networks),
        show_keys=chosen.get("show-keys", False),
        silent=chosen.get("silent", False),
    )


def _zilliqa(chosen: Values) -> zilliqa.Options:
    default = zilliqa.DEFAULTS
    return zilliqa.Options(
        errors=zilliqa.ErrorForm(chosen.get("zilliqa-errors", default.errors)),
        event_address=zilliqa.AddressForm(
            chosen.get("zilliqa-event-address", default.event_address)
        ),
        tx_hashes=HashPlaces(chosen.get("zilliqa-txhashes", default.tx_hashes)),
    )


def _ontology(chosen: Values, networks: tuple[Network, ...]) -> ontology.Options:
    """Return the options of the one network that Ontology's paths, which name none, lead to."""
    return ontology.Options(
        network=networks[0].devchain.ontology_network,
        pool_hashes=ontology.PoolHashes(
            chosen.get("ontology-pool-hashes", ontology.DEFAULTS.pool_hashes)
        ),
    )


def _field(name: str) -> str:
    return name.replace("-", "_")


def _read_options(
    options: Mapping[str, str | list[str] | bool],
) -> tuple[Values, dict[str, float]]:
    values: Values = {}
    limits: dict[str, float] = {}
    for name, written in options.items():
        if name == "limit":
            limits.update(_read_limit(text) for text in written)  # type: ignore[union-attr]
            continue
        setting = BY_NAME[name]
        if isinstance(written, list):
            values[name] = [decode_text(setting, f"--{name}", text) for text in written]
        elif isinstance(written, str):
            values[name] = decode_text(setting, f"--{name}", written)
        else:
            values[name] = written
    return values, limits


def _read_limit(text: str) -> tuple[str, float]:
    name, equals, value = text.partition("=")
    setting = LIMITS.get(name) or DIALECT_LIMITS.get(name)
    if not equals or setting is None:
        raise ConfigurationError(
            "--limit", f"expected NAME=VALUE with NAME one of {', '.join(LIMITS)}, got {text!r}"
        )
    return name, decode_text(setting, f"--limit {name}", value)


def _parse(text: str, file_name: str) -> Values:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as mistake:
        raise ConfigurationError(file_name, f"expected TOML: {mistake}") from None


def _table(value: Any, file_name: str, name: str) -> Values:
    if not isinstance(value, dict):
        raise ConfigurationError(f"{file_name}: {name}", f"expected a table, got {value!r}")
    return value


def _read_table(table: Values, file_name: str, *, network: bool, at: str = "") -> Values:
    """Decode the settings of one table; ``network`` allows only those of a chain."""
    values: Values = {}
    for name, value in table.items():
        place = f"{file_name}: {at}{name}"
        setting = BY_NAME.get(name)
        if setting is None or (network and not setting.network):
            raise _unknown(name, place, network=network)
        values[name] = _decode(setting, place, value)
    return values


def _unknown(name: str, place: str, *, network: bool) -> ConfigurationError:
    if name in NOT_BUILT:
        return ConfigurationError(place, f"{NOT_BUILT[name]} is not built yet")
    known = [each.name for each in BY_NAME.values() if each.network or not network]
    return ConfigurationError(place, f"expected one of the keys {', '.join(known)}")


def _decode(setting: Setting, place: str, value: Any) -> Any:
    if not setting.many:
        return decode_value(setting, place, value)
    if not isinstance(value, list):
        raise ConfigurationError(place, "expected a list of texts")
    return [decode_value(setting, place, each) for each in value]


def _read_limits(table: Values, file_name: str) -> dict[str, float]:
    limits: dict[str, float] = {}
    for name, value in table.items():
        if isinstance(value, dict) and any(key.startswith(f"{name}.") for key in DIALECT_LIMITS):
            own = {f"{name}.{key}": each for key, each in value.items()}
            limits |= _decode_limits(own, DIALECT_LIMITS, file_name)
        else:
            limits |= _decode_limits({name: value}, LIMITS, file_name)
    return limits


def _decode_limits(table: Values, known: Mapping[str, Setting], file_name: str) -> dict[str, float]:
    limits: dict[str, float] = {}
    for name, value in table.items():
        at, _, key = name.rpartition(".")
        place = f"{file_name}: [{'.'.join(filter(None, ('limits', at)))}] {key}"
        if name not in known:
            raise ConfigurationError(
                place, f"expected one of the keys {', '.join(CONNECTION_LIMITS if at else LIMITS)}"
            )
        limits[name] = decode_value(known[name], place, value)
    return limits


def _listeners(top: Values, given: Values, file_name: str) -> tuple[Listener, ...]:
    if "listen" in given:
        return tuple(read_listener(text, DIALECTS, "--listen") for text in given["listen"])
    if "listen" in top:
        place = f"{file_name}: listen"
        if not top["listen"]:
            raise ConfigurationError(place, "expected at least one DIALECT=ENDPOINT")
        return tuple(read_listener(text, DIALECTS, place) for text in top["listen"])
    return default_listeners(DIALECTS)


def _networks(top: Values, tables: Values, given: Values, file_name: str) -> tuple[Network, ...]:
    if not tables:
        return (_network(ONLY_NETWORK, _over(top, given), file_name, shared=False),)
    networks = []
    for name, table in tables.items():
        if not _NETWORK_NAME.fullmatch(name):
            raise ConfigurationError(
                f"{file_name}: [network.{name}]",
                "expected a name of lower-case letters, digits, - and _",
            )
        place = f"[network.{name}] "
        own = _read_table(
            _table(table, file_name, f"network.{name}"), file_name, network=True, at=place
        )
        shared = "data-dir" not in own or "data-dir" in given
        values = _over(_over(top, own), given)
        if name in CHAIN_IDS and "genesis" not in values:
            values.setdefault("chain-id", CHAIN_IDS[name])
        networks.append(_network(name, values, file_name, shared=shared))
    return tuple(networks)


def _over(below: Values, above: Values) -> Values:
    """Lay settings over others; one way of mining takes the place of the other."""
    merged = below | above
    for chosen, other in (("no-mining", "block-time"), ("block-time", "no-mining")):
        if chosen in above and other not in above:
            merged.pop(other, None)
    return merged


def _network(name: str, values: Values, file_name: str, *, shared: bool) -> Network:
    """Make a network of decoded values; a directory ``shared`` by networks gets one in it."""
    chain: Values = {}
    for setting in BY_NAME.values():
        if not setting.network or setting.name in _NOT_OF_THE_SOURCE:
            continue
        if setting.name in values:
            chain[_DEVCHAIN_FIELDS.get(setting.name, _field(setting.name))] = values[setting.name]
    if shared and "data_dir" in chain:
        chain["data_dir"] = str(PurePath(chain["data_dir"]) / name)
    mining = not values.get("no-mining", False)
    if not mining and "block-time" in values:
        raise ConfigurationError(
            "no-mining", "expected no block-time beside it: blocks come on command or in time"
        )
    for told in _TOLD_BY_GENESIS:
        if "genesis" in values and told in values:
            raise ConfigurationError(told, "expected none beside genesis: the file tells it")
    try:
        devchain = DevchainSettings(**chain, mining=mining)
    except ValueError as mistake:
        raise ConfigurationError(file_name, str(mistake)) from None
    depths = Depths(
        safe=values.get("safe-depth", DEFAULT_DEPTHS.safe),
        finalized=values.get("finalized-depth", DEFAULT_DEPTHS.finalized),
    )
    if depths.finalized < depths.safe:
        raise ConfigurationError("finalized-depth", f"expected at least safe-depth, {depths.safe}")
    return Network(
        name=name,
        devchain=devchain,
        history=values.get("history"),
        depths=depths,
        confirmations=values.get("confirmations", 0),
        abis=tuple(_read_abi(text) for text in values.get("abi", ())),
    )


def _read_abi(text: str) -> tuple[Address20, str]:
    address, _, file_name = text.partition("=")
    if not _ADDRESS.fullmatch(address) or not file_name:
        raise ConfigurationError(
            "abi", f"expected ADDRESS=FILE with ADDRESS as 0x and 40 hex digits, got {text!r}"
        )
    return Address20(bytes.fromhex(address[2:])), file_name
