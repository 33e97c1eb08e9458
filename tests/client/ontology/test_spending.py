"""Transactions of a client to a node that keeps them until it is told to make a block."""

from typing import Any

import pytest
import pytest_twisted

from tests.client.ontology.ledger import ALICE, BOB, ONT, SECRETS, did, payment
from tests.client.ontology.nodes import NO_ANSWER, Node, client_of, serving
from tests.websocket.scripted import limit, until
from twisted_chainws.client import BadAnswer, ClientClosed, Misuse, RequestTimeout, RpcError
from twisted_chainws.client.ontology import (
    OntologyClient,
    PreExecution,
    approve,
    claim_ong,
    raw_of,
    shown_hash,
    transfer,
    transfer_from,
)
from twisted_chainws.dialects.ontology.binary_codec import Reader
from twisted_chainws.dialects.ontology.transaction import (
    Invoke,
    Transaction,
    read_transaction,
    signers,
)

A, B = ALICE.address, BOB.address


def sent(node: Node) -> list[Transaction]:
    """Return what was sent, its signatures verified."""
    found: list[Any] = [
        read_transaction(Reader(bytes.fromhex(one["Data"])))
        for one in node.asked("sendrawtransaction")
    ]
    for one in found:
        signers(one)
    return found


def code(transaction: Transaction) -> bytes:
    """Return what a transaction runs."""
    assert isinstance(transaction.payload, Invoke)
    return transaction.payload.code


@pytest_twisted.ensureDeferred
async def test_tokens() -> None:
    """Each method makes its call, at the price of the last blocks, with a nonce of its own."""
    nonces = iter(range(1, 10))
    async with serving() as node:
        client = OntologyClient(
            node.url, client_of(node)._options, random_bits=lambda bits: next(nonces) + bits
        )
        async with client:
            names = [
                await limit(client.transfer("ont", ALICE, B, 5)),
                await limit(client.transfer("ong", SECRETS[0], B, 5, scaled=True)),
                await limit(client.approve("ong", ALICE, B, 6)),
                await limit(client.transfer_from("ong", BOB, A, B, 7)),
                await limit(client.claim_ong(ALICE)),
                await limit(client.claim_ong(ALICE, 3, to=B)),
            ]
        transactions = sent(node)
    assert [shown_hash(one) for one in transactions] == names
    assert [code(one) for one in transactions] == [
        one.code
        for one in (
            transfer("ont", ALICE, B, 5),
            transfer("ong", ALICE, B, 5, scaled=True),
            approve("ong", ALICE, B, 6),
            transfer_from("ong", BOB, A, B, 7),
            claim_ong(ALICE, 77),
            claim_ong(ALICE, 3, B),
        )
    ]
    assert [one.nonce for one in transactions] == list(range(33, 39))
    assert {(one.gas_price, one.gas_limit) for one in transactions} == {(2_500, 20_000)}


@pytest_twisted.ensureDeferred
async def test_options() -> None:
    """What is given is not asked for; somebody else may pay."""
    async with serving() as node, client_of(node) as client:
        await limit(
            client.transfer(
                "ont", ALICE, B, 5, nonce=7, gas_price=0, gas_limit=40_000, payer=SECRETS[1]
            )
        )
        (transaction,) = sent(node)
        assert (transaction.nonce, transaction.gas_price, transaction.gas_limit) == (7, 0, 40_000)
        assert len(transaction.witnesses) == 2
        assert node.asked("getgasprice") == []
        with pytest.raises(TypeError):
            await limit(client.transfer("ont", ALICE, B, 5, tip=1))


@pytest_twisted.ensureDeferred
async def test_pre_execution() -> None:
    """Only asked what it would do, nothing waits for a block."""
    async with serving() as node, client_of(node) as client:
        node.answers["sendrawtransaction"] = lambda request: {
            "State": 1,
            "Gas": 20_000,
            "Result": request["PreExec"],
            "Notify": None,
        }
        signed = await limit(client.sign(transfer("ont", ALICE, B, 5)))
        assert await limit(client.pre_execute(signed)) == PreExecution(
            succeeded=True, gas=20_000, result="1", notices=()
        )
        assert await limit(client.pre_execute(raw_of(signed))) is not None


@pytest_twisted.ensureDeferred
async def test_waiting() -> None:
    """Sending and waiting is one thing, or two."""
    async with serving() as node, client_of(node) as client:
        waiting = client.send_and_wait(payment(1))
        await until(lambda: len(node.pool) == 1)
        node.mine_pool()
        event = await limit(waiting)
        assert (event.tx_hash, event.succeeded) == (shown_hash(payment(1)), True)
        name = await limit(client.transfer("ont", ALICE, B, 5))
        node.mine_pool()
        assert (await limit(client.confirm(name))).tx_hash == name
        assert (await limit(client.confirm(name.upper()))).tx_hash == name


@pytest_twisted.ensureDeferred
async def test_a_transaction_that_fails() -> None:
    """It is in the chain all the same, and says that it has failed."""
    async with serving() as node, client_of(node) as client:
        waiting = client.send_and_wait(raw_of(payment(1)))
        await until(lambda: len(node.pool) == 1)
        node.mine(did(1, ONT, succeeded=False))
        assert (await limit(waiting)).succeeded is False


@pytest_twisted.ensureDeferred
async def test_what_nobody_mines() -> None:
    """Waiting ends at last."""
    async with serving() as node, client_of(node) as client:
        with pytest.raises(RequestTimeout) as failed:
            await limit(client.send_and_wait(payment(1), wait_s=0.05))
        assert failed.value.maybe_sent


@pytest_twisted.ensureDeferred
async def test_mistakes() -> None:
    """What cannot be meant is not sent."""
    async with serving() as node, client_of(node) as client:
        for mistake in (
            client.transfer("eth", ALICE, B, 1),
            client.transfer("ont", b"short", B, 1),
            client.transfer("ont", ALICE, "B", 1),
            client.transfer("ont", ALICE, B, -1),
            client.transfer("ont", ALICE, B, 1, nonce=-1),
            client.transfer_from("ont", ALICE, B, "x", 1),
            client.approve("ont", ALICE, "x", 1),
            client.claim_ong(b"short"),
            client.send_and_wait(b"\0"),
            client.send_and_wait("00d1"),  # type: ignore[arg-type]
            client.send_raw("00d1"),  # type: ignore[arg-type]
            client.pre_execute("00d1"),  # type: ignore[arg-type]
            client.confirm("xy"),
        ):
            with pytest.raises(Misuse):
                await limit(mistake)
        node.answers["getunboundong"] = lambda _: "0"
        with pytest.raises(Misuse, match="no ONG to claim"):
            await limit(client.claim_ong(ALICE))
        assert node.asked("sendrawtransaction") == []
    for waiting in (client.send_and_wait(payment(1)), client.confirm("11" * 32)):
        with pytest.raises(ClientClosed):
            await limit(waiting)


@pytest_twisted.ensureDeferred
async def test_the_hash_of_another_transaction() -> None:
    """A node that answers with another hash has sent something else."""
    async with serving() as node, client_of(node) as client:
        node.answers["sendrawtransaction"] = lambda _: "11" * 32
        with pytest.raises(BadAnswer):
            await limit(client.transfer("ont", ALICE, B, 1))


@pytest_twisted.ensureDeferred
async def test_closed_while_waiting() -> None:
    """Who waits when the client is closed is told so at once."""
    async with serving() as node:
        client = client_of(node)
        await client.open()
        waiting = client.send_and_wait(payment(1))
        await until(lambda: len(node.pool) == 1)
        await until(lambda: len(node.asked("getsmartcodeeventbyhash")) == 1)
        closing = client.close()
        with pytest.raises(ClientClosed):
            await limit(waiting)
        await closing


@pytest_twisted.ensureDeferred
async def test_proofs() -> None:
    """A transaction is proved down to the head of the chain."""
    async with serving() as node, client_of(node) as client:
        block = node.mine(did(1), did(2))
        for _ in range(3):
            node.mine()
        proof = await limit(client.prove(block.mined[1].hash))
        assert (proof.number, proof.last_number, proof.is_right) == (6, 9, True)
        with pytest.raises(RpcError):
            await limit(client.prove("11" * 32))
        with pytest.raises(Misuse):
            await limit(client.prove("11"))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"BlockHeight": 7}, "without the transaction"),
        ({"TransactionsRoot": "11" * 32}, "other transactions"),
        ({"CurBlockRoot": "11" * 32}, "another chain"),
        ({"TargetHashes": ["11" * 32]}, "wrong"),
    ],
)
@pytest_twisted.ensureDeferred
async def test_false_proofs(change: Any, message: str) -> None:
    """Nothing of a proof is believed."""
    async with serving() as node, client_of(node) as client:
        block = node.mine(did(1))
        node.mine(did(2))
        node.answers["getmerkleproof"] = lambda _: node.ledger.proof(block) | change
        with pytest.raises(BadAnswer, match=message):
            await limit(client.prove(block.mined[0].hash))


@pytest_twisted.ensureDeferred
async def test_nothing_is_sent_twice_by_itself() -> None:
    """A plain send whose connection is lost fails, and may have been sent."""
    async with serving() as node, client_of(node) as client:
        node.answers["sendrawtransaction"] = lambda _: NO_ANSWER
        sending = client.send_raw(payment(1))
        await until(lambda: len(node.asked("sendrawtransaction")) == 1)
        node.drop()
        with pytest.raises(Exception, match="connection lost"):
            await limit(sending)
        await until(lambda: client.counters.reconnects == 1)
        assert len(node.asked("sendrawtransaction")) == 1
