"""The client against the server of this package, in this process, over real sockets."""

import pytest
import pytest_twisted

from tests.client.ethereum.nodes import options
from tests.server.peer import Stand
from tests.websocket.scripted import limit
from twisted_chainws.client import EthereumClient, Head, RpcError, State, Status

pytestmark = pytest.mark.integration


@pytest_twisted.ensureDeferred
async def test_calls_and_heads() -> None:
    """It connects, asks, and iterates over heads in their order."""
    async with (
        Stand() as stand,
        EthereumClient(f"ws://127.0.0.1:{stand.port}/", options()) as client,
    ):
        assert client.state is State.OPEN
        assert client.chain_id == 31_337
        assert await client.call("eth_blockNumber") == "0x0"
        heads = await client.subscribe("newHeads")
        mined = [stand.source.mine() for _ in range(3)]
        for block in mined:
            head = await limit(heads.next())
            assert isinstance(head, Head)
            assert (head.number, head.hash) == (block.number, "0x" + block.hash.hex())
        with pytest.raises(RpcError, match="does not exist"):
            await client.call("eth_nothing")
    assert client.status == Status(State.CLOSED, "closed")
