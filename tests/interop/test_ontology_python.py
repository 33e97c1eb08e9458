"""ontology-python-sdk, unmodified, asks everything it can, follows blocks, pays and verifies.

It needs older releases of its own dependencies than the server may have, so it can live in an
environment of its own: ``CHAINWS_ONTOLOGY`` names a Python that has what ``ontology.txt`` lists.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import pytest

from tests.running import Running, free_port
from tests.wire import call_http
from twisted_chainws.chain.types import Address20
from twisted_chainws.dialects.ontology.address import decode_base58, encode_base58
from twisted_chainws.sources.devchain.accounts import WELL_KNOWN_ACCOUNTS

pytestmark = pytest.mark.interop

PROGRAM: Final = Path(__file__).resolve().parent / "client_ontology.py"
PAYEE: Final = encode_base58(Address20(b"\x77" * 20))
ONT: Final = "01" + "00" * 19
ONG: Final = "02" + "00" * 19
GOVERNANCE: Final = "AFmseVrdL9f9oyCzZefL9tG6UbviEH9ugK"
FLAGS: Final = (
    "SubscribeEvent", "SubscribeJsonBlock", "SubscribeRawBlock", "SubscribeBlockTxHashs",
)  # fmt: skip
FEE: Final = 20_000 * 2_500
ONE_ONG: Final = 10**9
GWEI: Final = 10**9
LIMIT_S: Final = 120


def python() -> str:
    """Return an interpreter that has the SDK, or skip."""
    program = os.environ.get("CHAINWS_ONTOLOGY", sys.executable)
    known = subprocess.run(
        [program, "-W", "ignore", "-c", "import ontology.network.websocket"],
        capture_output=True,
        check=False,
        timeout=LIMIT_S,
    )
    if known.returncode:
        pytest.skip(f"the SDK is not installed for {Path(program).name}; see CHAINWS_ONTOLOGY")
    return program


@pytest.fixture(scope="module", name="report")
def _report() -> Any:
    """Run the program against a server and return what it saw."""
    program, port = python(), free_port()
    with Running("--silent", "--listen", f"ontology=tcp:{port}") as server:
        server.wait(port)
        secrets = [account.ontology_key.hex() for account in WELL_KNOWN_ACCOUNTS[:2]]
        ended = subprocess.run(
            [program, "-W", "ignore", str(PROGRAM), f"ws://127.0.0.1:{port}", *secrets, PAYEE],
            capture_output=True,
            text=True,
            check=False,
            timeout=LIMIT_S,
        )
        assert ended.returncode == 0, ended.stderr
        assert server.faults() == []
        report = json.loads(ended.stdout.splitlines()[-1])
        address = "0x" + decode_base58(PAYEE).hex()
        report["wei"] = int(call_http(server.port, "eth_getBalance", address, "latest"), 16)
    return report


def test_nothing_it_offers_is_left_out(report: Any) -> None:
    """Every request of the SDK was made."""
    assert report["unused"] == []


def test_it_is_answered_and_follows(report: Any) -> None:
    """The heartbeat of a connection tells what it follows, and only its own."""
    nothing = dict.fromkeys(FLAGS, False)
    everything = dict.fromkeys(FLAGS, True) | {"ContractsFilter": [ONT]}
    assert report["heartbeat"] == nothing | {"ContractsFilter": None}
    assert report["topics"] == everything
    assert report["following"]["Result"] == everything
    assert report["following"]["Action"] == "heartbeat"


def transfer(report: Any, contract: str, amount: int) -> dict[str, Any]:
    """Return what is noticed of a payment and its fee."""
    owner = report["owner"]

    def noticed(address: str, *states: Any) -> dict[str, Any]:
        return {"ContractAddress": address, "States": ["transfer", *states], "IsEvm": False}

    return {
        "State": 1,
        "GasConsumed": FEE,
        "Notify": [noticed(contract, owner, PAYEE, amount), noticed(ONG, owner, GOVERNANCE, FEE)],
        "GasStepUsed": 20_000,
        "TxIndex": 0,
        "CreatedContract": "00" * 20,
    }


@pytest.mark.parametrize(
    ("token", "contract", "amount"), [("ont", ONT, 7), ("ong", ONG, 1_500_000_000)]
)
def test_it_pays(report: Any, token: str, contract: str, amount: int) -> None:
    """The node knows the payment by the hash that the SDK computed, and confirms it once."""
    paid = report[token]
    assert paid["sent"] == paid["hash"]
    confirmed = paid["confirmed"]
    assert (confirmed["Action"], confirmed["Error"], "Id" in confirmed) == ("Notify", 0, False)
    event = {"TxHash": paid["sent"]} | transfer(report, contract, amount)
    assert confirmed["Result"] == event


def test_balances_change(report: Any) -> None:
    """By what was paid and by the fees, in both tokens; ONG is the coin of Ethereum's view."""
    (own_before, others_before), (own, others) = report["before"], report["after"]
    assert others_before == {"ONT": 0, "ONG": 0, "HEIGHT": 0}
    assert own_before["ONT"] == 10**8
    assert own_before["ONG"] == 10_000 * ONE_ONG
    assert (others["ONT"], others["ONG"]) == (7, 1_500_000_000)
    assert own["ONT"] == own_before["ONT"] - 7
    assert own["ONG"] == own_before["ONG"] - 1_500_000_000 - 2 * FEE
    assert own["HEIGHT"] == 2
    assert report["wei"] == (1_500_000_000 + 500) * GWEI


def test_it_is_told_of_blocks(report: Any) -> None:
    """The event, the raw block, the block and its hashes; of ONG no event, for the filter."""
    told = [push["Action"] for push in report["pushes"]]
    assert told == ["Notify", "sendrawblock", "sendjsonblock", "sendblocktxhashs"]
    event, raw, block, hashes = [push["Result"] for push in report["pushes"]]
    assert event == report["getters"]["event"]
    assert block == report["getters"]["block"]
    assert len(raw) == 2 * block["Size"]
    assert hashes["Transactions"] == [report["ont"]["sent"]]
    assert [push["Action"] for push in report["blocks"]] == told[1:]
    assert report["blocks"][2]["Result"]["Transactions"] == [report["ong"]["sent"]]


def test_it_reads_the_chain(report: Any) -> None:
    """What the getters tell of one payment agrees."""
    got = report["getters"]
    assert (got["connections"], got["sessions"]) == (1, 2)
    assert (got["tip"], got["height"]) == (1, 1)
    assert got["block"] == got["same block"]
    assert got["block"]["Hash"] == got["block hash"]
    assert [one["Hash"] for one in got["block"]["Transactions"]] == [report["ont"]["sent"]]
    assert got["events"] == [got["event"]]
    assert int.from_bytes(bytes.fromhex(got["storage"]), "little") == got["balance"]["ONT"]
    assert got["contract"]["Name"] == "ONT"
    assert got["unbound"] == 0


def test_its_verifier_accepts_the_proof(report: Any) -> None:
    """The root is that of the newest block; turned round the proof is none."""
    proof = report["proof"]
    assert proof["steps"] > 0
    assert (proof["accepted"], proof["wrong"]) == (True, False)
    assert proof["root"] == proof["root of the tip"]


def test_it_executes_without_paying(report: Any) -> None:
    """Constants and balances are read; what cannot be run is refused in words."""
    tried = report["pre-execution"]
    assert bytes.fromhex(tried["name"]["Result"]) == b"ONT Token"
    assert tried["decimals"]["Result"] == "09"
    assert tried["balance"]["Result"] == "07"
    assert (tried["transfer"]["State"], tried["transfer"]["Gas"]) == (1, 20_000)
    assert tried["transfer"]["Result"] == "01"
    assert "authentication failed!" in tried["unsigned"]
    assert "needs a NeoVM" in tried["contract"]
    assert "needs a NeoVM" in tried["sent contract"]
    assert tried["transfer"]["Notify"][0]["States"][-1] == 1


def test_a_friend_spends(report: Any) -> None:
    """Of 700 units 500 are gone."""
    assert int.from_bytes(bytes.fromhex(report["left"]), "little") == 200


def test_the_unknown_is_an_error(report: Any) -> None:
    """The SDK raises what it makes of it."""
    assert report["unknown"]
