"""Questions about ONT and ONG, and trials of transactions."""

from base64 import b64decode
from pathlib import Path
from typing import Any

import pytest
from eth._utils.address import generate_contract_address
from eth_typing import Address

from tests.sources.devchain.engine.building import ALICE, ALICE_KEY, GWEI, transaction
from tests.sources.devchain.engine.driving import Driven, driven
from tests.sources.devchain.engine.ont_sending import (
    GENESIS_ONT,
    STRANGER,
    address,
    ong_transfer,
    ont_transfer,
    owned,
    signed,
    submit,
)
from tests.sources.devchain.engine.ont_states import ONG, ONT, UNIT
from twisted_chainws import errors
from twisted_chainws.chain.model import Log
from twisted_chainws.chain.types import Address20, Hash32
from twisted_chainws.dialects.ontology.address import encode_base58
from twisted_chainws.dialects.ontology.binary_codec import encode_neo_integer
from twisted_chainws.dialects.ontology.events import encode_log, transfer_log
from twisted_chainws.dialects.ontology.script import build_call
from twisted_chainws.dialects.ontology.tokens import GOVERNANCE_CONTRACT
from twisted_chainws.dialects.ontology.transaction import Transaction, encode_transaction
from twisted_chainws.dialects.ontology.unbound import GENESIS_TIME
from twisted_chainws.dialects.ontology.values import Struct
from twisted_chainws.sources.devchain.codec import encode_hex
from twisted_chainws.sources.devchain.engine.convert import convert_transaction


def _allowance(node: Driven, contract: bytes, owner: bytes, spender: bytes) -> int:
    found = node.ask(
        "ontology_allowance",
        contract=encode_hex(contract),
        owner=encode_hex(owner),
        spender=encode_hex(spender),
        at=node.head,
    )
    return int(found, 16)


def _stored(node: Driven, contract: bytes, key: bytes) -> bytes:
    found = node.ask(
        "ontology_storage", contract=encode_hex(contract), key=encode_hex(key), at=node.head
    )
    return bytes.fromhex(found[2:])


def _granted(node: Driven, account: bytes) -> int:
    return int(node.ask("ontology_grant", address=encode_hex(account), at=node.head), 16)


def _execute(node: Driven, raw: bytes) -> dict[str, Any]:
    answer: dict[str, Any] = node.ask("ontology_execute", raw=encode_hex(raw), at=node.head)
    return answer


def _try(node: Driven, tried: Transaction) -> dict[str, Any]:
    return _execute(node, encode_transaction(tried))


def _approve(contract: Any, amount: int) -> Transaction:
    fields = Struct([address(), STRANGER, amount])
    return signed(build_call(contract, "approve", fields), nonce=amount, gas_price=0)


def test_balances_of_any_block(tmp_path: Path) -> None:
    """Each block has its own, and so has the pending one."""
    with driven(tmp_path) as node:
        first = node.head
        submit(node, ont_transfer(5))
        node.ask("set_automine", enabled=False)
        submit(node, ont_transfer(6, nonce=2))
        wanted = {"address": encode_hex(STRANGER)}
        places = (first, node.head, "pending")
        told = [node.ask("ontology_balance", **wanted, at=place)["ont"] for place in places]
        assert [int(item, 16) for item in told] == [0, 5 * UNIT, 11 * UNIT]


def test_allowances(tmp_path: Path) -> None:
    """Scaled, for each token and pair."""
    with driven(tmp_path) as node:
        submit(node, _approve(ONT, 7))
        submit(node, _approve(ONG, 8))
        assert _allowance(node, ONT, address(), STRANGER) == 7 * UNIT
        assert _allowance(node, ONG, address(), STRANGER) == 8 * UNIT
        assert _allowance(node, ONG, STRANGER, address()) == 0


def test_what_is_stored(tmp_path: Path) -> None:
    """Every item of the layout, and nothing under any other key."""
    with driven(tmp_path) as node:
        submit(node, _approve(ONT, 7))
        submit(node, ong_transfer(9, gas_price=0))
        node.ask("add_balance", address=encode_hex(STRANGER), value="0x1")
        pair = address() + STRANGER
        assert _stored(node, ONT, address()) == GENESIS_ONT.to_bytes(8, "little")
        assert _stored(node, ONT, pair) == (7).to_bytes(8, "little")
        assert _stored(node, ONG, pair) == b""
        assert _stored(node, ONG, STRANGER) == encode_neo_integer(9 * UNIT + 1)
        assert _stored(node, ONT, b"totalSupply") == (10**9).to_bytes(8, "little")
        assert _stored(node, ONG, b"totalSupply") == (10**18).to_bytes(8, "little")
        for contract, key in (
            (ONT, STRANGER),
            (ONT, b""),
            (ONT, b"unboundTimeOffset"),
            (ONT, b"unboundTimeOffset" + STRANGER),
            (ONT, b"x" * 37),
            (ONG, b"unboundTimeOffset" + address()),
            (GOVERNANCE_CONTRACT, address()),
        ):
            assert _stored(node, contract, key) == b""


def test_more_coin_than_ong_can_be(tmp_path: Path) -> None:
    """A balance that the form of whole units has no room for is told in the other one."""
    with driven(tmp_path) as node:
        node.ask("set_balance", address=encode_hex(STRANGER), value=hex(2**64 * UNIT))
        assert _stored(node, ONG, STRANGER) == encode_neo_integer(2**64 * UNIT)


def test_when_an_account_was_last_released_ong(tmp_path: Path) -> None:
    """Seconds since the network began, once ONT was moved."""
    with driven(tmp_path) as node:
        submit(node, ont_transfer())
        key = b"unboundTimeOffset" + STRANGER
        offset = node.hub.engine.head.timestamp - GENESIS_TIME
        assert _stored(node, ONT, key) == offset.to_bytes(4, "little")


@pytest.mark.parametrize(
    ("network", "per_ont"), [(1, 285_897_600), (2, 283_478_400), (3, 0), (9, 0)]
)
def test_what_a_move_would_release(tmp_path: Path, network: int, per_ont: int) -> None:
    """All that holders were given until the network's deadline; a move takes it at once."""
    with driven(tmp_path, ontology_network=network) as node:
        assert _granted(node, address()) == GENESIS_ONT * per_ont
        assert _granted(node, STRANGER) == 0
        before = owned(node, address())[0][1]
        submit(node, ont_transfer(gas_price=0))
        assert owned(node, address())[0][1] - before == GENESIS_ONT * per_ont * UNIT
        assert _granted(node, address()) == 0


def test_holders_earn_by_the_second(tmp_path: Path) -> None:
    """Before the deadline a move makes what was earned claimable, and no more."""
    with driven(tmp_path, ontology_network=1, timestamp=GENESIS_TIME + 100, seed=1) as node:
        assert _granted(node, address()) == GENESIS_ONT * 5 * 101
        submit(node, ont_transfer(gas_price=0))
        assert _allowance(node, ONG, ONT, address()) == GENESIS_ONT * 5 * 101 * UNIT
        left = GENESIS_ONT - 5
        assert _granted(node, address()) == left * 5


def test_a_trial_of_a_transfer(tmp_path: Path) -> None:
    """Gas, answer and events without the payment; nothing stays."""
    with driven(tmp_path) as node:
        root = node.hub.engine.root(node.hub.engine.head_hash)
        answer = _try(node, ont_transfer(5))
        assert answer == {
            "State": 1,
            "Gas": 20_000,
            "Result": "01",
            "Notify": [
                {
                    "ContractAddress": "01" + "00" * 19,
                    "States": [
                        "transfer",
                        encode_base58(address()),
                        encode_base58(STRANGER),
                        5,
                    ],
                    "IsEvm": False,
                }
            ],
        }
        assert owned(node, STRANGER) == [(0, 0)]
        assert node.hub.engine.root(node.hub.engine.head_hash) == root
        assert len(node.hub.pool) == 0


@pytest.mark.parametrize(
    ("code", "result"),
    [
        (build_call(ONT, "balanceOf", address()), (10**8).to_bytes(4, "little").hex()),
        (build_call(ONG, "balanceOf", STRANGER), ""),
        (build_call(ONT, "decimalsV2"), "09"),
        (build_call(ONT, "symbol"), b"ONT".hex()),
        (b"\x00", "00"),
        (b"\x51\x52\x52\xc1", ["02", "01"]),
        (b"\x00\xc1", None),
        (b"\x61", None),
    ],
)
def test_answers_of_trials(tmp_path: Path, code: bytes, result: Any) -> None:
    """Values as pre-execution shows them; nobody has to sign a question."""
    with driven(tmp_path) as node:
        answer = _try(node, signed(code))
        assert (answer["State"], answer["Result"], answer["Notify"]) == (1, result, None)


def test_trials_that_fail(tmp_path: Path) -> None:
    """The node's words, or what is not here; and bytes that are none."""
    with driven(tmp_path) as node:
        with pytest.raises(errors.ExecutionFailed, match="balance insufficient"):
            _try(node, ont_transfer(GENESIS_ONT + 1))
        with pytest.raises(errors.Unsupported):
            _try(node, signed(b"\x67" + bytes(20)))
        with pytest.raises(errors.UndecodableTransaction):
            _execute(node, b"\x00")


def test_trials_see_the_block_they_are_tried_on(tmp_path: Path) -> None:
    """What is spent since then is there."""
    with driven(tmp_path) as node:
        first = node.head
        submit(node, ont_transfer(GENESIS_ONT, gas_price=0))
        raw = encode_hex(encode_transaction(ont_transfer(1, nonce=2)))
        assert node.ask("ontology_execute", raw=raw, at=first)["State"] == 1
        with pytest.raises(errors.ExecutionFailed):
            node.ask("ontology_execute", raw=raw, at=node.head)


_LOGGING = "0x602a600052600760206000a160206000f3"
"""Keeps 42 in memory, logs that word under topic 7, and returns it."""
_REVERTING = "0x602a60005260206000fd"
_CONTRACT = b"\xcc" * 20


def _evm(**changes: Any) -> bytes:
    values = {"type": 0, "gas_price": 2_500 * GWEI, "gas": 100_000, "to": _CONTRACT, "value": 0}
    made = transaction(ALICE_KEY, **(values | changes))
    return encode_transaction(convert_transaction(made))


def test_a_trial_of_an_evm_transaction(tmp_path: Path) -> None:
    """Gas as it is used, the answer in base64, logs and the moves of ONG around them."""
    with driven(tmp_path) as node:
        node.ask("set_code", address=encode_hex(_CONTRACT), code=_LOGGING)
        answer = _execute(node, _evm(value=3))
        assert answer["State"] == 1
        assert 21_000 < answer["Gas"] < 25_000
        assert b64decode(answer["Result"]) == (42).to_bytes(32, "big")
        log = Log(
            address=Address20(_CONTRACT),
            topics=(Hash32((7).to_bytes(32, "big")),),
            data=(42).to_bytes(32, "big"),
        )
        fee = answer["Gas"] * 2_500 * GWEI
        assert answer["Notify"] == [
            encode_log(transfer_log(Address20(ALICE), Address20(_CONTRACT), 3)),
            encode_log(log),
            encode_log(transfer_log(Address20(ALICE), GOVERNANCE_CONTRACT, fee)),
        ]


def test_a_plain_payment_answers_nothing(tmp_path: Path) -> None:
    """Without code there is no answer, and without a price no notice of a fee."""
    with driven(tmp_path) as node:
        answer = _execute(node, _evm(gas_price=0))
        assert answer == {"State": 1, "Gas": 21_000, "Result": None, "Notify": None}


def test_an_evm_trial_that_reverts_has_state_0(tmp_path: Path) -> None:
    """It is no error: the answer is what it reverted with, and the fee would be paid."""
    with driven(tmp_path) as node:
        node.ask("set_code", address=encode_hex(_CONTRACT), code=_REVERTING)
        answer = _execute(node, _evm(value=3))
        assert answer["State"] == 0
        assert b64decode(answer["Result"]) == (42).to_bytes(32, "big")
        fee = answer["Gas"] * 2_500 * GWEI
        paid = transfer_log(Address20(ALICE), GOVERNANCE_CONTRACT, fee)
        assert answer["Notify"] == [encode_log(paid)]


def test_a_trial_of_a_creation(tmp_path: Path) -> None:
    """Value goes to the contract that would be made; one that fails at once tells only the fee."""
    with driven(tmp_path) as node:
        answer = _execute(node, _evm(to=b"", value=3, data=b"\x00"))
        made = Address20(generate_contract_address(Address(ALICE), 0))
        assert answer["Notify"][0] == encode_log(transfer_log(Address20(ALICE), made, 3))
        failed = _execute(node, _evm(to=b"", data=b"\xfe"))
        assert (failed["State"], failed["Gas"], len(failed["Notify"])) == (0, 100_000, 1)


def test_evm_trials_that_cannot_begin(tmp_path: Path) -> None:
    """Who cannot pay, or offers too little gas, is told so."""
    with driven(tmp_path) as node:
        with pytest.raises(errors.ExecutionFailed, match="insufficient funds"):
            _execute(node, _evm(value=10**30))
        with pytest.raises(errors.ExecutionFailed, match="intrinsic gas too low"):
            _execute(node, _evm(gas=20_000))


def test_evm_transactions_of_other_chains_are_none(tmp_path: Path) -> None:
    """The chain id is the chain's own."""
    with driven(tmp_path, chain_id=5851) as node, pytest.raises(errors.UndecodableTransaction):
        _execute(node, _evm())
