"""The envelope of the HTTP face, byte for byte."""

from typing import Any

import orjson
import pytest

from tests.dialects.zilliqa.caller import Caller
from tests.dialects.zilliqa.vectors import vectors
from tests.strategies import make_chain
from twisted_chainws.dialects.zilliqa.http_envelope import ENVELOPE

NOT_A_REQUEST = (
    b'{"error":{"code":-32600,"data":null,"message":'
    b'"INVALID_JSON_REQUEST: The JSON sent is not a valid JSON-RPC Request object"},'
    b'"id":%b,"jsonrpc":"2.0"}'
)


@pytest.mark.parametrize(
    ("body", "answer"),
    [
        (
            b'{"id":"1","jsonrpc":"2.0","method":"GetNetworkId","params":[""]}',
            b'{"id":"1","jsonrpc":"2.0","result":"222"}',
        ),
        (b'{"method":"GetNetworkId","id":7}', b'{"id":7,"jsonrpc":"2.0","result":"222"}'),
        (
            b'{"method":"GetNetworkId","id":18446744073709551616}',
            b'{"id":18446744073709551616,"jsonrpc":"2.0","result":"222"}',
        ),
        (b'{"method":"GetNetworkId","params":[]}', b""),
        (b'{"id":1,"result":"an answer"}', b""),
        (
            b'{"id":1,"method":"GetNoSuchThing"}',
            (
                b'{"error":{"code":-32601,"data":null,"message":"METHOD_NOT_FOUND: The method being '
                b'requested is not available on this server"},"id":1,"jsonrpc":"2.0"}'
            ),
        ),
        (
            b"{",
            (
                b'{"error":{"code":-32700,"data":null,"message":"JSON_PARSE_ERROR: The JSON-Object is '
                b'not JSON-Valid"},"id":null,"jsonrpc":"2.0"}'
            ),
        ),
        (
            b'{"id":1,"params":[]}',
            (
                b'{"error":{"code":-32600,"data":null,"message":"RPC method missing"},"id":1,'
                b'"jsonrpc":"2.0"}'
            ),
        ),
        (b'{"id":1,"method":5}', NOT_A_REQUEST % b"1"),
        (b'{"id":[],"method":"GetNetworkId"}', NOT_A_REQUEST % b"null"),
        (b"7", NOT_A_REQUEST % b"null"),
        (b"[]", NOT_A_REQUEST % b"null"),
        (
            b'[{"id":1,"method":"GetNetworkId"},{"method":"GetNetworkId"},5]',
            b'[{"id":1,"jsonrpc":"2.0","result":"222"},' + NOT_A_REQUEST % b"null" + b"]",
        ),
    ],
)
def test_bodies(body: bytes, answer: bytes) -> None:
    """Members are sorted, ids echoed, mistakes told in the words of the node's library."""
    assert Caller(make_chain(1)).post(body) == answer


@pytest.mark.parametrize("example", vectors("json_rpc")["error_examples"], ids=str)
def test_published_examples(example: dict[str, Any]) -> None:
    """The published requests end with the published errors."""
    caller = Caller(make_chain(3))
    assert orjson.loads(caller.post(orjson.dumps(example["request"]))) == example["response"]


def test_the_face_has_its_own_envelope() -> None:
    """Over WebSocket nothing of this is spoken."""
    assert ENVELOPE.parse is ENVELOPE.parse_http
