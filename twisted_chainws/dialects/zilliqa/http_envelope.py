"""JSON-RPC 2.0 over HTTP as the node's library writes it. Sans-I/O.

::

    → {"id":"1","jsonrpc":"2.0","method":"GetNetworkId","params":[""]}
    ← {"id":"1","jsonrpc":"2.0","result":"222"}
    ← {"error":{"code":-20,"data":null,"message":"Txn Hash not Present"},"id":"1","jsonrpc":"2.0"}

What a message means is read as for Ethereum; only the words differ.

Source: ``zilliqa.md`` 5; libjson-rpc-cpp 1.3 (``rpcprotocolserverv2.cpp``).
"""

from dataclasses import replace
from typing import Any, Final

import orjson

from twisted_chainws.dialects import jsonrpc
from twisted_chainws.dialects.base import Batch, Envelope, Parsed, Request
from twisted_chainws.dialects.limits import Limits
from twisted_chainws.dialects.outcomes import Fault, Json
from twisted_chainws.dialects.zilliqa.encode import dump
from twisted_chainws.dialects.zilliqa.errors import METHOD_MISSING, NOT_A_REQUEST, PARSE_FAILED

_WORDS: Final = {
    jsonrpc.INVALID: NOT_A_REQUEST,
    jsonrpc.EMPTY_BATCH: NOT_A_REQUEST,
}


def parse(data: bytes, limits: Limits) -> Parsed:
    """Read a body: a request or a batch; mistakes come as faults in the node's words."""
    parsed = jsonrpc.parse_http(data, limits)
    if isinstance(parsed, Batch):
        return Batch(requests=tuple(_reworded(request) for request in parsed.requests))
    if parsed is None:
        return None
    request = _reworded(parsed)
    if request[3] is NOT_A_REQUEST and _lacks_method(data):
        return (*request[:3], METHOD_MISSING)
    return request


def render_result(token: Any, result: Json) -> bytes:
    """Write a successful reply."""
    return b'{"id":%b,"jsonrpc":"2.0","result":%b}' % (token, dump(result))


def render_fault(token: Any, fault: Fault) -> bytes:
    """Write an error reply; ``data`` is always there."""
    error = dump({"code": fault.code, "data": fault.data, "message": fault.message})
    return b'{"error":%b,"id":%b,"jsonrpc":"2.0"}' % (error, token)


def _reworded(request: Request) -> Request:
    token, method, params, fault = request
    if fault is None:
        return request
    if fault.code == jsonrpc.PARSE_ERROR:
        return (token, method, params, PARSE_FAILED)
    return (token, method, params, _WORDS.get(fault, fault))


def _lacks_method(data: bytes) -> bool:
    """Tell whether a body that is JSON is an object which asks for nothing."""
    message = orjson.loads(data)
    return isinstance(message, dict) and "method" not in message


ENVELOPE: Final[Envelope] = replace(
    jsonrpc.ENVELOPE,
    parse=parse,
    parse_http=parse,
    render_result=render_result,
    render_fault=render_fault,
)
