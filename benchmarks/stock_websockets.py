"""The smallest JSON-RPC server on the ``websockets`` package: the port is the argument."""

import asyncio
import sys
from typing import Any

from websockets.asyncio.server import broadcast, serve
from websockets.exceptions import ConnectionClosedError

from benchmarks.stock_rpc import answer, notice

SUBSCRIBERS: set[Any] = set()


async def handle(connection: Any) -> None:
    """Answer the requests of one connection."""
    try:
        async for payload in connection:
            method, reply = answer(payload)
            await connection.send(reply.decode())
            if method == "eth_subscribe":
                SUBSCRIBERS.add(connection)
            elif method == "evm_mine":
                broadcast(SUBSCRIBERS, notice().decode())
    except ConnectionClosedError:
        pass
    finally:
        SUBSCRIBERS.discard(connection)


async def main(port: int) -> None:
    """Serve until killed."""
    # As the others do by default or during such a short run: no pings, no compression.
    async with serve(
        handle, "127.0.0.1", port, compression=None, ping_interval=None, backlog=1024
    ) as server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
