import pytest

from tests.dialects.ethereum.views import make_view
from twisted_chainws.dialects.catalog import DIALECTS, make_dialects
from twisted_chainws.dialects.outcomes import Refused, Subscribe
from twisted_chainws.dialects.view import Profile

COMMON = {"newHeads", "logs", "newPendingTransactions"}
NODE = {"syncing", "transactionReceipts"}
ALCHEMY = {
    "alchemy_newFullPendingTransactions", "alchemy_filteredNewFullPendingTransactions",
    "alchemy_pendingTransactions", "alchemy_minedTransactions",
}  # fmt: skip
TOKENVIEW = {"tokenview_pendingTransactions", "okenview_pendingTransactions"}

KINDS = {
    Profile.SUPERSET: COMMON | NODE | ALCHEMY | TOKENVIEW,
    Profile.GETH: COMMON | NODE,
    Profile.ANVIL: COMMON | NODE,
    Profile.ALCHEMY: COMMON | ALCHEMY,
    Profile.TOKENVIEW: COMMON | TOKENVIEW,
}
ALCHEMY_METHODS = {
    "alchemy_getTransactionReceipts", "alchemy_getTokenBalances", "alchemy_getAssetTransfers",
}  # fmt: skip


@pytest.mark.parametrize("profile", Profile)
def test_every_profile_has_the_same_dialects(profile: Profile) -> None:
    """A profile changes names and wording, not which dialects there are or where they listen."""
    made = make_dialects(profile)
    assert [(each.name, each.default_port) for each in made] == [
        (each.name, each.default_port) for each in DIALECTS
    ]


def test_names_and_ports_are_distinct() -> None:
    """No two dialects share a word or a port."""
    assert len({dialect.name for dialect in DIALECTS}) == len(DIALECTS)
    assert len({dialect.default_port for dialect in DIALECTS}) == len(DIALECTS)


@pytest.mark.parametrize(
    ("message", "claimed_by"),
    [
        (b'{"jsonrpc":"2.0","id":1,"method":"eth_chainId"}', ["ethereum"]),
        (b'[{"method":"eth_chainId"}]', ["ethereum"]),
        (b'{"query":"NewBlock"}', ["zilliqa"]),
        (b'{"Action":"getversion","Id":1}', ["ontology"]),
        (b'{"Action":1}', ["ontology"]),
        (b'{"action":"getversion"}', []),
        (b'["Action"]', ["ethereum"]),
        (b"{}", []),
        (b"Action", []),
    ],
)
def test_a_first_message_is_of_one_language(message: bytes, claimed_by: list[str]) -> None:
    """No two dialects take the same message for theirs; each knows its own."""
    assert [dialect.name for dialect in DIALECTS if dialect.claims(message)] == claimed_by


@pytest.mark.parametrize("profile", Profile)
@pytest.mark.parametrize("kind", sorted(KINDS[Profile.SUPERSET]))
def test_kinds_of_a_profile(profile: Profile, kind: str) -> None:
    """The superset serves every subscription, each other profile those of its vendor or node."""
    dialect, *_ = make_dialects(profile)
    assert (kind in dialect.topics) is (kind in KINDS[profile])
    options = [{"address": "0x" + "11" * 20}] if "iltered" in kind else []
    subscribe = dialect.methods["eth_subscribe"]
    if kind in KINDS[profile]:
        assert isinstance(subscribe(make_view(profile=profile), [kind, *options]), Subscribe)
    else:
        with pytest.raises(Refused, match=f'-32601 no "{kind}" subscription in eth namespace'):
            subscribe(make_view(profile=profile), [kind, *options])


@pytest.mark.parametrize("profile", Profile)
def test_full_pending_transactions_by_flag(profile: Profile) -> None:
    """Nodes send objects for ``true``; vendors have kinds of their own for that."""
    dialect, *_ = make_dialects(profile)
    subscribe, view = dialect.methods["eth_subscribe"], make_view(profile=profile)
    assert isinstance(subscribe(view, ["newPendingTransactions", False]), Subscribe)
    if profile in {Profile.ALCHEMY, Profile.TOKENVIEW}:
        with pytest.raises(Refused, match="-32602"):
            subscribe(view, ["newPendingTransactions", True])
    else:
        assert isinstance(subscribe(view, ["newPendingTransactions", True]), Subscribe)


@pytest.mark.parametrize("profile", Profile)
def test_methods_of_a_profile(profile: Profile) -> None:
    """Alchemy's methods are in its profile and in the superset, on both faces."""
    dialect, *_ = make_dialects(profile)
    assert dialect.http is not None
    assert dialect.http.methods.keys() == dialect.methods.keys()
    named = {name for name in dialect.methods if name.startswith("alchemy_")}
    knows = profile in {Profile.SUPERSET, Profile.ALCHEMY}
    assert named == (ALCHEMY_METHODS if knows else set())


@pytest.mark.parametrize("profile", Profile)
def test_unsubscribing_what_is_not_there(profile: Profile) -> None:
    """The answer is false, except where go-ethereum is spoken."""
    dialect, *_ = make_dialects(profile)
    outcome = dialect.methods["eth_unsubscribe"](make_view(profile=profile), ["0x1"])
    if profile is Profile.GETH:
        with pytest.raises(Refused, match="-32000 subscription not found"):
            outcome.then(False)
    else:
        assert outcome.then(False) is False
    assert outcome.then(True) is True


@pytest.mark.parametrize("profile", Profile)
def test_no_subscriptions_over_http(profile: Profile) -> None:
    """Extending a dialect does not open the other face for subscriptions."""
    dialect, *_ = make_dialects(profile)
    assert dialect.http is not None
    with pytest.raises(Refused, match="notifications not supported"):
        dialect.http.methods["eth_subscribe"](make_view(), ["newHeads"])
