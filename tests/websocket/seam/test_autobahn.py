"""Gaps of Autobahn that we go around: each seen where it is, and closed on our way."""

import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import pytest
import pytest_twisted
from autobahn.twisted.websocket import (
    WebSocketClientFactory,
    WebSocketClientProtocol,
    create_client_agent,
)
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import HostnameEndpoint
from twisted.internet.ssl import Certificate, optionsForClientTLS, trustRootFromCertificates

from tests.running import ROOT
from tests.server.peer import LIMIT_S, reactor
from tests.websocket.certificates import authority, write
from tests.websocket.proxies import HttpProxyServer, proxies
from tests.websocket.scripted import Client, limit
from tests.websocket.serving import Serving, server_cert, serving
from tests.websocket.streams import listening
from twisted_chainws.websocket.options import WebSocketRequestOptions
from twisted_chainws.websocket.values import HttpProxy

pytestmark = pytest.mark.integration

CA: Final = authority("root")


def port_of(stand: Serving) -> int:
    """Return where a server listens."""
    assert stand.server.address is not None
    return stand.server.address.port


async def our_way(url: str, proxy_port: int, **more: Any) -> Client:
    """Open a client of ours through a proxy."""
    client = Client()
    proxy = HttpProxy("127.0.0.1", proxy_port)
    await client.connect(url, WebSocketRequestOptions(proxy=proxy, **more))
    await limit(client.when_open())
    return client


@pytest_twisted.ensureDeferred
async def test_ws_through_a_proxy() -> None:
    """(i) Autobahn's agent breaks before it dials, our client opens. 4.6 item 4."""
    async with serving() as stand, listening(proxies(HttpProxyServer)) as proxy_port:
        url = f"ws://127.0.0.1:{port_of(stand)}/"
        way = {"proxy": {"host": "127.0.0.1", "port": proxy_port}}
        with pytest.raises(UnboundLocalError, match="context_factory"):
            create_client_agent(reactor).open(url, way)
        client = await our_way(url, proxy_port)
        await client.close()
        await limit(client.when_closed())


@pytest_twisted.ensureDeferred
async def test_wss_through_a_proxy(tmp_path: Path) -> None:
    """(i) Autobahn opens over TLS and knows nothing of it, our client does. 4.6 item 7."""
    opened: Deferred[Any] = Deferred()
    gone: Deferred[None] = Deferred()

    class Naive(WebSocketClientProtocol):
        def onOpen(self) -> None:
            opened.callback(self.transport_details)
            self.sendClose()

        def onClose(self, *_: object) -> None:
            gone.callback(None)

    cert = server_cert(tmp_path, CA)
    async with (
        serving(server_cert=cert) as stand,
        listening(proxies(HttpProxyServer)) as proxy_port,
    ):
        url = f"wss://localhost:{port_of(stand)}/"
        way = {"host": "127.0.0.1", "port": proxy_port}
        factory = WebSocketClientFactory(url, proxy=way, reactor=reactor)
        factory.protocol = Naive
        trust = trustRootFromCertificates([Certificate.loadPEM(CA.pem)])
        factory.contextFactory = optionsForClientTLS("localhost", trust)
        await HostnameEndpoint(reactor, b"127.0.0.1", proxy_port).connect(factory)
        naive = await opened.addTimeout(LIMIT_S, reactor)
        await gone.addTimeout(LIMIT_S, reactor)
        assert (naive.is_secure, naive.peer_cert) == (False, None)

        client = await our_way(url, proxy_port, ca_path=write(tmp_path, "roots", CA.pem))
        assert client._link is not None
        wire: Any = client._link.connection
        assert wire.transport_details.is_secure is True
        assert wire.transport_details.peer_cert is not None
        await client.close()
        await limit(client.when_closed())


PROGRAM: Final = """
import importlib, pkgutil, sys

import twisted_chainws

for module in pkgutil.walk_packages(twisted_chainws.__path__, "twisted_chainws."):
    if not module.name.endswith("__main__"):
        importlib.import_module(module.name)
import txaio

print(txaio.using_twisted, "autobahn.asyncio" in sys.modules)
try:
    import autobahn.asyncio.websocket
except RuntimeError as error:
    print(error)
"""


def test_a_process_has_one_flavour_of_autobahn() -> None:
    """Every module of ours loads beside Twisted's flavour; asyncio's would not. 4.6 item 23."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["True False", "Explicitly using 'twisted' already"]
