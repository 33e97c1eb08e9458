"""The ``chainws`` plugin: options, and ``makeService``, the only place where anything is wired."""

import atexit
import importlib.util
import os
import runpy
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn

from twisted.application.service import IService
from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.defer import gatherResults
from twisted.internet.interfaces import IAddress
from twisted.logger import Logger
from twisted.python import usage
from twisted.python.failure import Failure

from twisted_chainws import __version__
from twisted_chainws.config.endpoints import default_places
from twisted_chainws.config.model import Configuration, Network
from twisted_chainws.config.read import read_configuration
from twisted_chainws.config.table import (
    BY_NAME,
    NOT_BUILT,
    SETTINGS,
    ConfigurationError,
    Kind,
    Setting,
)
from twisted_chainws.dialects.base import Dialect
from twisted_chainws.dialects.catalog import DIALECTS, make_dialects
from twisted_chainws.dialects.ethereum.node_info import node_name
from twisted_chainws.dialects.view import SERVER, Settings
from twisted_chainws.server.descriptors import raise_descriptor_limit
from twisted_chainws.server.factory import ServerSettings
from twisted_chainws.server.lifecycle import Lifecycle
from twisted_chainws.server.listening import CannotBind, ListenerService
from twisted_chainws.server.site import make_accounts, make_site
from twisted_chainws.service import ChainService
from twisted_chainws.sources.abi import EventNames, read_abi_files
from twisted_chainws.sources.devchain.accounts import DevAccount
from twisted_chainws.sources.devchain.banner import chain_lines
from twisted_chainws.sources.devchain.genesis import read_genesis_file
from twisted_chainws.sources.devchain.source import DevchainSource
from twisted_chainws.sources.devchain.wallet import accounts_of

__all__ = ["Options", "main", "makeService"]

_log = Logger()


def _fail(text: str) -> NoReturn:
    """End the program with one line on standard error and exit status 1."""
    sys.stderr.write(f"chainws: {text}\n")
    raise SystemExit(1)


def _help(setting: Setting) -> str:
    """Tell what an option is for, its words if it has a few, and its default."""
    words = f" ({', '.join(setting.choices)})" if setting.choices else ""
    return f"{setting.help}{words} [default: {setting.default}]"


class Options(usage.Options):
    """Options of ``twist chainws``; ``configuration`` is what they and the file come to."""

    longdesc = (
        f"Without options: a development chain, spoken as {default_places(DIALECTS)}. "
        "Every option is also a key of the TOML file that --config names; an option beats the "
        "file. docs/configuration.md tells all of it."
    )
    optFlags = [  # noqa: RUF012 - Twisted wants a list here
        [each.name, None, each.help] for each in SETTINGS if each.kind is Kind.FLAG
    ]
    optParameters = [  # noqa: RUF012 - Twisted wants a list here
        ["config", None, None, "TOML file with the same names as keys"],
        *(
            [each.name, None, None, _help(each)]
            for each in SETTINGS
            if each.kind is not Kind.FLAG and not each.many
        ),
    ]
    configuration: Configuration

    def getSynopsis(self) -> str:
        """Return the first line of the help, the same under every runner."""
        return "Usage: chainws [options]"

    def opt_version(self) -> NoReturn:
        """Print the version and exit."""
        sys.stdout.write(f"chainws {__version__}\n")
        raise SystemExit(0)

    def _add(self, name: str, text: str) -> None:
        self.opts.setdefault(name, []).append(text)

    def opt_listen(self, text: str) -> None:
        """Where to speak what: DIALECT=ENDPOINT such as ethereum=tcp:8545; repeatable."""
        self._add("listen", text)

    def opt_allow_origin(self, text: str) -> None:
        """Let pages of this browser origin in, besides loopback ones; repeatable."""
        self._add("allow-origin", text)

    def opt_allow_host(self, text: str) -> None:
        """Be known under this name besides loopback ones and addresses; repeatable."""
        self._add("allow-host", text)

    def opt_key(self, text: str) -> None:
        """Accept this API key; repeatable; better kept in the file than on a command line."""
        self._add("key", text)

    def opt_inactive_key(self, text: str) -> None:
        """Know this API key and refuse it as that of an inactive app; repeatable."""
        self._add("inactive-key", text)

    def opt_exhausted_key(self, text: str) -> None:
        """Know this API key and refuse it as one whose capacity is used up; repeatable."""
        self._add("exhausted-key", text)

    def opt_abi(self, text: str) -> None:
        """Name the events of a contract: ADDRESS=FILE with its ABI; repeatable."""
        self._add("abi", text)

    def opt_limit(self, text: str) -> None:
        """Set a bound: NAME=VALUE such as message-bytes=1048576; repeatable."""
        self._add("limit", text)

    def parseArgs(self, *arguments: str) -> None:  # noqa: N802
        """Refuse everything that is not an option."""
        if arguments:
            raise usage.UsageError(f"expected only options, got {arguments[0]!r}")

    def parseOptions(self, options: Sequence[str] | None = None) -> None:
        """Read options and file; a mistake is one line and exit status 1."""
        try:
            super().parseOptions(options)
            self.configuration = self._configuration()
        except usage.UsageError as mistake:
            _fail(_not_built(str(mistake)))
        except ConfigurationError as mistake:
            _fail(str(mistake))

    def _configuration(self) -> Configuration:
        names = [*BY_NAME, "limit"]
        given = {name: self.opts[name] for name in names if self.opts.get(name) not in (None, 0)}
        given = {
            name: bool(value) if name in BY_NAME and BY_NAME[name].kind is Kind.FLAG else value
            for name, value in given.items()
        }
        file_name = self.opts["config"]
        if file_name is None:
            return read_configuration(given)
        try:
            text = Path(file_name).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "it is no UTF-8 text"
            raise ConfigurationError(f"--config {file_name}", f"cannot read it: {reason}") from None
        return read_configuration(given, text, file_name)


def _not_built(text: str) -> str:
    """Say so where an unknown option is a word of the plan."""
    for name, purpose in NOT_BUILT.items():
        if text == f"option --{name} not recognized":
            return f"--{name}: {purpose} is not built yet"
    return text


def makeService(options: Options) -> IService:
    """Wire everything that the configuration asks for.

    The only function of the package that imports the reactor.
    """
    from twisted.internet import reactor

    atexit.register(_have_the_last_word)
    configuration = options.configuration
    networks = tuple(_with_files(network) for network in configuration.networks)
    configuration = replace(configuration, networks=networks)
    dialects = tuple(
        replace(dialect, limits=configuration.limits_of(dialect.name, dialect.limits))
        for dialect in make_dialects(
            configuration.profile, configuration.zilliqa, configuration.ontology
        )
    )
    accounts = [_prepare(network) for network in configuration.networks]
    names = {network.name: _read_names(network) for network in configuration.networks}
    chains = {
        network.name: _make_chain(configuration, network, dialects, names[network.name], reactor)
        for network in configuration.networks
    }
    settings = _server_settings(configuration)
    keys = make_accounts(settings, reactor)
    sites = [
        make_site(
            reactor=reactor,
            dialect=next((each for each in dialects if each.name == listener.dialect), None),
            catalog=dialects,
            services=chains,
            settings=settings,
            accounts=keys,
        )
        for listener in configuration.listeners
    ]
    endpoints = [listener.endpoint for listener in configuration.listeners]
    try:
        listeners = ListenerService(
            reactor=reactor, endpoints=list(zip(endpoints, sites, strict=True))
        )
    except CannotBind as mistake:
        _fail(str(mistake))
    raise_descriptor_limit()
    return Lifecycle(
        reactor=reactor,
        listeners=listeners,
        chains=list(chains.values()),
        close_clients=lambda: gatherResults([site.close_all() for site in sites]),
        ready=lambda: _introduce(
            configuration,
            accounts,
            {name: chain.chain_id for name, chain in chains.items()},
            listeners.addresses(),
        ),
        give_up=_fail,
        failed=lambda failure: _broken(failure, reactor),
    )


def _server_settings(configuration: Configuration) -> ServerSettings:
    bounds = configuration.bounds
    return ServerSettings(
        allow_origins=configuration.allow_origins,
        allow_hosts=configuration.allow_hosts,
        keys=configuration.keys,
        inactive_keys=configuration.inactive_keys,
        exhausted_keys=configuration.exhausted_keys,
        compression=configuration.compression,
        connections_per_key=bounds.connections_per_key,
        compute_units_per_s=bounds.compute_units_per_s,
        compute_burst_s=bounds.compute_burst_s,
        request_timeout_s=bounds.request_timeout_s,
        idle_timeout_s=bounds.idle_timeout_s,
    )


def _with_files(network: Network) -> Network:
    """Find mistakes in the files that a chain comes from; take over what they say about it."""
    settings = network.devchain
    if settings.genesis_file is None:
        return network
    if settings.import_file is not None and not os.access(settings.import_file, os.R_OK):
        _fail(f"import: expected a file to read, got {settings.import_file}")
    try:
        genesis = read_genesis_file(settings.genesis_file)
    except ValueError as mistake:
        _fail(str(mistake))
    return replace(network, devchain=replace(settings, chain_id=genesis.chain_id))


def _prepare(network: Network) -> Sequence[DevAccount]:
    """Find what the worker would stumble over; return the accounts of the network.

    The well-known ones are constants; nothing is imported for them.
    """
    settings = network.devchain
    if importlib.util.find_spec("eth") is None:
        _fail(
            "the development chain needs the devchain extra: "
            "pip install 'twisted-chainws[devchain]'"
        )
    if settings.data_dir is not None:
        try:
            Path(settings.data_dir).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            _fail(f"data-dir: expected a directory to write to, {error.filename}: {error.strerror}")
        if not os.access(settings.data_dir, os.W_OK | os.X_OK):
            _fail(f"data-dir: expected a directory to write to, got {settings.data_dir}")
    try:
        return accounts_of(settings.mnemonic, settings.accounts)
    except ValueError as mistake:
        _fail(str(mistake))


def _read_names(network: Network) -> EventNames:
    try:
        return read_abi_files(network.abis)
    except ValueError as mistake:
        _fail(str(mistake))


def _make_chain(
    configuration: Configuration,
    network: Network,
    dialects: Sequence[Dialect],
    names: EventNames,
    reactor: Any,
) -> ChainService:
    bounds = configuration.bounds
    return ChainService(
        source=DevchainSource(network.devchain, reactor=reactor, names=names),
        dialects=dialects,
        settings=Settings(
            profile=configuration.profile,
            client_version=node_name(SERVER, configuration.profile),
            network_id=network.devchain.chain_id,
            development=True,
            query_alternatives=bounds.query_alternatives,
            max_logs=bounds.max_logs,
            mined_either=configuration.mined_either,
        ),
        clock=reactor,
        random=os.urandom,
        history=network.history,
        depths=network.depths,
        confirmations=network.confirmations,
        max_filters=bounds.filters,
        max_filter_items=bounds.filter_items,
        filter_lifetime_s=bounds.filter_lifetime_s,
        announce_rollback=configuration.announce_rollback,
    )


def _introduce(
    configuration: Configuration,
    accounts: Sequence[Sequence[DevAccount]],
    chain_ids: Mapping[str, int],
    addresses: Sequence[IAddress],
) -> None:
    """Print who is there and where, as anvil does; warn about what the outside can reach."""
    lines, show_keys = [f"chainws {__version__}"], configuration.show_keys
    spoken = configuration.spoken([each.name for each in DIALECTS])
    for network, owners in zip(configuration.networks, accounts, strict=True):
        lines += ["", *chain_lines(network.devchain, owners, show_keys=show_keys, spoken=spoken)]
        lines += ["", f"Network {network.name}: chain id {chain_ids[network.name]}"]
    lines += [""]
    for listener, address in zip(configuration.listeners, addresses, strict=True):
        language = listener.dialect or "any dialect"
        lines.append(f"Listening on {_place(address, listener.endpoint)} ({language})")
    if not configuration.silent:
        _print("\n".join(lines))
    for listener in configuration.listeners:
        if listener.outside:
            _log.warn(
                "{endpoint} can be reached from outside: whoever reaches it controls the "
                "development chain and its unlocked accounts",
                endpoint=listener.endpoint,
            )


def _print(text: str) -> None:
    """Print to the terminal itself: Twisted makes log events of everything on ``sys.stdout``."""
    if sys.__stdout__ is not None:
        sys.__stdout__.write(text + "\n")
        sys.__stdout__.flush()


def _place(address: IAddress, endpoint: str) -> str:
    """Return host and port of an address, or the description where it has none."""
    if isinstance(address, IPv6Address):
        return f"[{address.host}]:{address.port}"
    if isinstance(address, IPv4Address):
        return f"{address.host}:{address.port}"
    return endpoint


class _Outcome:
    """How the program ends."""

    status = 0


def _broken(failure: Failure, reactor: Any) -> None:
    """End the program because a source cannot start."""
    _Outcome.status = 1
    reason = getattr(failure.value, "reason", None) or failure.getErrorMessage()
    _log.critical("the chain cannot start: {reason}", reason=reason)
    if sys.__stderr__ is not None:
        sys.__stderr__.write(f"chainws: the chain cannot start: {reason}\n")
    reactor.stop()


def _have_the_last_word() -> None:
    """End with our status: the runners of Twisted end with 0 once the reactor has run."""
    if _Outcome.status:
        for stream in (sys.__stdout__, sys.__stderr__):
            if stream is not None:
                stream.flush()
        os._exit(_Outcome.status)


def main() -> None:
    """Run ``twist chainws`` with the options of the command line, and a log for people."""
    sys.argv[1:1] = ["--log-format=text", "chainws"]
    runpy.run_module("twisted", run_name="__main__", alter_sys=False)
