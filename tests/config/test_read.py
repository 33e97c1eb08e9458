from dataclasses import fields

import pytest

from twisted_chainws.chain.view import Depths
from twisted_chainws.config.model import Bounds, Configuration
from twisted_chainws.config.read import read_configuration
from twisted_chainws.config.table import (
    CONNECTION_LIMITS,
    GLOBAL_LIMITS,
    NOT_BUILT,
    ConfigurationError,
)
from twisted_chainws.dialects import ontology, zilliqa
from twisted_chainws.dialects.limits import Limits
from twisted_chainws.dialects.view import Profile
from twisted_chainws.dialects.zilliqa.encode import HashPlaces
from twisted_chainws.sources.devchain.settings import DevchainSettings


def _only(configuration: Configuration) -> DevchainSettings:
    (network,) = configuration.networks
    return network.devchain


def _mistake(text: str = "", **options: str | list[str] | bool) -> str:
    with pytest.raises(ConfigurationError) as caught:
        read_configuration(
            {name.replace("_", "-"): value for name, value in options.items()}, text, "c.toml"
        )
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_nothing_said_gives_the_defaults() -> None:
    """Without options and file there is one default chain, loopback listeners and no keys."""
    configuration = read_configuration({})
    assert _only(configuration) == DevchainSettings()
    assert [each.outside for each in configuration.listeners] == [False] * len(
        configuration.listeners
    )
    assert configuration.profile is Profile.SUPERSET
    assert configuration.keys == configuration.allow_origins == ()
    assert configuration.limits_of("ethereum", Limits()) == Limits()
    assert configuration.zilliqa == zilliqa.Options()
    assert configuration.ontology == ontology.Options()
    assert configuration.bounds == Bounds()
    assert configuration.compression is configuration.show_keys is configuration.silent is False
    assert configuration.mined_either is False
    assert configuration.announce_rollback is True


def test_every_setting_reaches_its_place() -> None:
    """Each key of the file ends up in the settings of the part it is for."""
    configuration = read_configuration(
        {},
        """
        listen = ["ethereum=tcp:1", "any=tcp:2"]
        block-time = 2
        chain-id = 5
        accounts = 3
        balance = 7
        mnemonic = "legal winner thank year wave sausage worth useful legal winner thank yellow"
        gas-limit = 1_000_000
        timestamp = 9
        seed = 4
        data-dir = "/var/lib/chainws"
        call-timeout = 1.5
        call-gas-cap = 6
        history = 128
        confirmations = 6
        abi = ["0x00000000000000000000000000000000000000fF=token.json"]
        allow-origin = ["https://dapp.example"]
        allow-host = ["chain.example"]
        key = ["one", "two"]
        inactive-key = ["three"]
        exhausted-key = ["four", "five"]
        profile = "geth"
        mined-either = true
        no-announce-rollback = true
        zilliqa-errors = "bare"
        zilliqa-event-address = "0x"
        zilliqa-txhashes = "inside"
        ontology-network = 2
        ontology-pool-hashes = "hex"
        show-keys = true
        compression = true
        silent = true
        """,
    )
    assert _only(configuration) == DevchainSettings(
        block_time=2,
        chain_id=5,
        accounts=3,
        balance_ether=7,
        mnemonic="legal winner thank year wave sausage worth useful legal winner thank yellow",
        gas_limit=1_000_000,
        timestamp=9,
        seed=4,
        data_dir="/var/lib/chainws",
        call_timeout_s=1.5,
        call_gas_cap=6,
        ontology_network=2,
    )
    assert [each.dialect for each in configuration.listeners] == ["ethereum", None]
    assert configuration.networks[0].history == 128
    assert configuration.allow_origins == ("https://dapp.example",)
    assert configuration.allow_hosts == ("chain.example",)
    assert configuration.keys == ("one", "two")
    assert configuration.inactive_keys == ("three",)
    assert configuration.exhausted_keys == ("four", "five")
    assert configuration.profile is Profile.GETH
    assert configuration.mined_either
    assert configuration.announce_rollback is False
    assert configuration.networks[0].confirmations == 6
    assert configuration.networks[0].abis == ((bytes(19) + b"\xff", "token.json"),)
    assert configuration.zilliqa == zilliqa.Options(
        errors=zilliqa.ErrorForm.BARE,
        event_address=zilliqa.AddressForm.PREFIXED,
        tx_hashes=HashPlaces.INSIDE,
    )
    assert configuration.ontology == ontology.Options(
        network=2, pool_hashes=ontology.PoolHashes.HEX
    )
    assert configuration.show_keys
    assert configuration.compression
    assert configuration.silent


@pytest.mark.parametrize(
    ("listen", "spoken"),
    [
        (["ethereum=tcp:1"], {"ethereum"}),
        (["zilliqa=tcp:1", "zilliqa=tcp:2"], {"zilliqa"}),
        (["ethereum=tcp:1", "zilliqa=tcp:2"], {"ethereum", "zilliqa"}),
        (["zilliqa=tcp:1", "any=tcp:2"], {"ethereum", "zilliqa", "other"}),
    ],
)
def test_what_is_spoken_somewhere(listen: list[str], spoken: set[str]) -> None:
    """Every dialect that has a listener; all of them where one listener is for any."""
    configuration = read_configuration({"listen": listen})
    assert configuration.spoken(["ethereum", "zilliqa", "other"]) == spoken


def test_an_option_beats_the_file() -> None:
    """Where both speak, the command line counts; lists are replaced, not joined."""
    text = 'chain-id = 5\nprofile = "geth"\nkey = ["file"]\nlisten = ["any=tcp:1"]\n'
    configuration = read_configuration(
        {"chain-id": "6", "profile": "anvil", "key": ["option"], "listen": ["any=tcp:2"]}, text
    )
    assert _only(configuration).chain_id == 6
    assert configuration.profile is Profile.ANVIL
    assert configuration.keys == ("option",)
    assert [each.endpoint for each in configuration.listeners] == ["tcp:2:interface=127.0.0.1"]


def test_an_option_for_one_way_of_mining_replaces_the_other_of_the_file() -> None:
    """``--no-mining`` takes the place of the file's block-time, and the other way round."""
    assert _only(read_configuration({"no-mining": True}, "block-time = 2")).block_time is None
    assert _only(read_configuration({"block-time": "2"}, "no-mining = true")).mining


def test_networks_inherit_from_the_top_and_yield_to_options() -> None:
    """A network's table beats the top of the file, and an option beats both."""
    configuration = read_configuration(
        {"gas-limit": "100"},
        """
        accounts = 2
        data-dir = "chains"
        gas-limit = 1
        [network.eth]
        chain-id = 1
        gas-limit = 2
        [network.bsc]
        chain-id = 56
        accounts = 4
        data-dir = "elsewhere"
        """,
    )
    chains = {network.name: network.devchain for network in configuration.networks}
    assert list(chains) == ["eth", "bsc"]
    assert [chains[name].chain_id for name in chains] == [1, 56]
    assert [chains[name].accounts for name in chains] == [2, 4]
    assert [chains[name].gas_limit for name in chains] == [100, 100]
    assert [chains[name].data_dir for name in chains] == ["chains/eth", "elsewhere"]


@pytest.mark.parametrize(
    ("name", "chain_id"),
    [("eth", 1), ("etc", 61), ("bsc", 56), ("kcc", 321), ("kcs", 321), ("dev", 31_337)],
)
def test_a_network_of_a_known_name_has_its_chain_id(name: str, chain_id: int) -> None:
    """The name suggests the chain id; what is written anywhere beats the suggestion."""
    table = f"[network.{name}]"
    for expected, text, options in (
        (chain_id, table, {}),
        (7, f"{table}\nchain-id = 7", {}),
        (8, f"chain-id = 8\n{table}", {}),
        (9, f"chain-id = 8\n{table}\nchain-id = 7", {"chain-id": "9"}),
    ):
        assert _only(read_configuration(options, text)).chain_id == expected


def test_ontology_is_of_the_first_network() -> None:
    """Its paths name no network, so the one that answers decides about the network id."""
    text = "ontology-network = 1\n[network.eth]\nontology-network = 2\n[network.bsc]"
    configuration = read_configuration({}, text)
    assert [each.devchain.ontology_network for each in configuration.networks] == [2, 1]
    assert configuration.ontology.network == 2
    assert read_configuration({"ontology-network": "7"}, text).ontology.network == 7


@pytest.mark.parametrize("name", CONNECTION_LIMITS)
def test_each_limit_of_a_connection_can_be_set(name: str) -> None:
    """A key of [limits] and ``--limit`` change exactly the bound of that name."""
    changed = {name.replace("-", "_"): 7}
    for configuration in (
        read_configuration({}, f"[limits]\n{name} = 7"),
        read_configuration({"limit": [f"{name}=7"]}, f"[limits]\n{name} = 8"),
    ):
        limits = configuration.limits_of("zilliqa", Limits())
        assert {
            each.name: getattr(limits, each.name)
            for each in fields(Limits)
            if getattr(limits, each.name) != each.default
        } == changed


def test_limits_of_one_dialect() -> None:
    """They count more than those of all, whichever of option and file says either."""
    text = "[limits]\nsubscriptions = 5\n[limits.zilliqa]\nsubscriptions = 2\nmessage-bytes = 2048"
    options = {"limit": ["message-bytes=9", "zilliqa.alternatives=3"]}
    configuration = read_configuration(options, text)
    zilliqas = configuration.limits_of("zilliqa", Limits())
    assert (zilliqas.subscriptions, zilliqas.message_bytes, zilliqas.alternatives) == (2, 2048, 3)
    others = configuration.limits_of("ethereum", Limits())
    assert (others.subscriptions, others.message_bytes) == (5, 9)
    assert others.alternatives == Limits().alternatives


@pytest.mark.parametrize("name", GLOBAL_LIMITS)
def test_each_limit_of_the_server_can_be_set(name: str) -> None:
    """The bounds of the whole server are keys of the same table."""
    configuration = read_configuration({"limit": [f"{name}=7"]})
    assert getattr(configuration.bounds, name.replace("-", "_")) == 7


@pytest.mark.parametrize(
    ("text", "start"),
    [
        ("chain-id = ", "c.toml: expected TOML: "),
        ("chain-ids = 1", "c.toml: chain-ids: expected one of the keys listen, block-time, "),
        ("chain-id = 'x'", "c.toml: chain-id: expected a whole number of at least 1, got 'x'"),
        ("listen = 'any=tcp:1'", "c.toml: listen: expected a list of texts"),
        ("listen = [1]", "c.toml: listen: expected a text, got 1"),
        ("listen = []", "c.toml: listen: expected at least one DIALECT=ENDPOINT"),
        ("listen = ['x=tcp:1']", "c.toml: listen: expected one of the dialects "),
        ("network = 1", "c.toml: network: expected a table, got 1"),
        ("[network]\neth = 1", "c.toml: network.eth: expected a table, got 1"),
        ("[network.ETH]", "c.toml: [network.ETH]: expected a name of lower-case letters"),
        ("[network.eth]\nkey = ['x']", "c.toml: [network.eth] key: expected one of the keys block"),
        ("[network.eth]\nupstream = 'x'", "c.toml: [network.eth] upstream: following real nodes"),
        ("limits = 1", "c.toml: limits: expected a table, got 1"),
        ("[limits]\nsockets = 1", "c.toml: [limits] sockets: expected one of the keys message-"),
        ("[limits.zilliqa]\nfilters = 1", "c.toml: [limits.zilliqa] filters: expected one of the"),
        (
            "[limits.zilliqa]\nsubscriptions = 'x'",
            "c.toml: [limits.zilliqa] subscriptions: expected",
        ),
        ("[limits.x]\nsubscriptions = 1", "c.toml: [limits] x: expected one of the keys message-"),
        ("[limits]\nzilliqa = 1", "c.toml: [limits] zilliqa: expected one of the keys message-"),
        ("zilliqa-errors = 'loud'", "c.toml: zilliqa-errors: expected one of json, bare, got"),
        ("ontology-pool-hashes = 'x'", "c.toml: ontology-pool-hashes: expected one of numbers, "),
        ("ontology-network = -1", "c.toml: ontology-network: expected a whole number of at least"),
        ("ontology-network = 0x1_0000_0000", "c.toml: ontology-network: expected 0 to 4294967295"),
        ("[limits]\nbatch-items = 0", "c.toml: [limits] batch-items: expected a whole number of"),
        ("no-mining = true\nblock-time = 1", "no-mining: expected no block-time beside it"),
        ("import = 'x'", "c.toml: import: expected genesis beside it"),
        ("genesis = 'x'\nchain-id = 5", "chain-id: expected none beside genesis"),
        ("genesis = 'x'\ngas-limit = 5", "gas-limit: expected none beside genesis"),
        ("abi = ['token.json']", "abi: expected ADDRESS=FILE with ADDRESS as 0x and 40 hex digits"),
        ("abi = ['0x12=token.json']", "abi: expected ADDRESS=FILE with ADDRESS as 0x and 40 hex"),
        (f"abi = ['0x{'1' * 40}=']", "abi: expected ADDRESS=FILE with ADDRESS as 0x and 40 hex"),
        ("safe-depth = 65", "finalized-depth: expected at least safe-depth, 65"),
    ],
)
def test_a_mistake_in_the_file_names_file_and_key(text: str, start: str) -> None:
    """One line says where the mistake is and what was expected there."""
    assert _mistake(text).startswith(start)


@pytest.mark.parametrize("name", NOT_BUILT)
def test_words_of_the_plan_are_refused_by_name(name: str) -> None:
    """A key that is planned but not built says just that."""
    assert _mistake(f"{name} = 1") == f"c.toml: {name}: {NOT_BUILT[name]} is not built yet"


def test_a_mistaken_limit_option_names_the_limits() -> None:
    """``--limit`` wants NAME=VALUE with a known name and a fitting value."""
    assert _mistake(limit=["batch-items"]).startswith("--limit: expected NAME=VALUE with NAME one")
    assert _mistake(limit=["sockets=1"]).startswith("--limit: expected NAME=VALUE with NAME one")
    assert _mistake(limit=["batch-items=x"]).startswith("--limit batch-items: expected a whole")


def test_a_chain_from_files() -> None:
    """Genesis and blocks come from files, and both depths can be chosen for each network."""
    text = "genesis = 'g.json'\nsafe-depth = 0\n[network.eth]\nfinalized-depth = 0"
    (network,) = read_configuration({"import": "c.rlp"}, text).networks
    assert (network.devchain.genesis_file, network.devchain.import_file) == ("g.json", "c.rlp")
    assert network.depths == Depths(safe=0, finalized=0)
    assert read_configuration({}).networks[0].depths == Depths(safe=32, finalized=64)


def test_secrets_are_in_no_repr() -> None:
    """Keys and mnemonics do not show when a configuration is printed."""
    names = ("key", "inactive-key", "exhausted-key")
    configuration = read_configuration({"mnemonic": "own words"} | {n: ["s3cret"] for n in names})
    assert "s3cret" not in repr(configuration)
    assert "own words" not in repr(configuration)
