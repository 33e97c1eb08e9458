from typing import Any

import orjson
import pytest

from twisted_chainws.dialects.limits import Limits
from twisted_chainws.dialects.outcomes import Fault
from twisted_chainws.dialects.zilliqa import ErrorForm, envelope
from twisted_chainws.dialects.zilliqa.errors import INVALID_QUERY_FIELD, NO_CONTRACT_FOUND

LIMITS = Limits()


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b'{"query":"NewBlock"}', "NewBlock"),
        (b'\xef\xbb\xbf {"query":"NewBlock"}', "NewBlock"),
        (b'  {"query":"NewBlock"} and more', "NewBlock"),
        (b'{"query":"NewBlock"}{"query":"TxnLog"}', "NewBlock"),
        (b'{"query":"EventLog","query":"TxnLog"}', "TxnLog"),
        (b'{"query":"EventLog","query":"TxnLog"} x', "TxnLog"),
        (b'{"query":"NewBlock","x":' + b"[" * 900 + b"]" * 900 + b"}", "NewBlock"),
        (b'{"query":"NewBlock","x":' + b"[" * 150 + b"]" * 150 + b"} x", "NewBlock"),
        (b'{"query":"NewBlock","lone":"\\ud800"}', "NewBlock"),
        (b'{"query":"Unsub\\u0073cribe"}', "Unsubscribe"),
    ],
)
def test_queries(data: bytes, kind: str) -> None:
    """What nodes take for JSON; the token is the message as it came."""
    token, method, params, fault = envelope.parse(data, LIMITS)  # type: ignore[misc]
    assert (token, method, params["query"], fault) == (data, kind, kind, None)
    assert envelope.render_result(token, None) is data
    assert envelope.claims(data)


@pytest.mark.parametrize(
    "data",
    [
        b" ",
        b"nonsense",
        b"\xff\xfe",
        b'{"query":"NewBlock"} \xff',
        b'{"query":"NewBlock","x":NaN} x',
        b'{"query":"NewBlock","x":Infinity}',
        b"{'query':'NewBlock'}",
        b'{query:"NewBlock"}',
        b'{"query":"NewBlock" "x":1}',
        b'{"query":["NewBlock"]}',
        b'{"query":{"NewBlock":1}}',
        b'{"query":"NewBlock ' + b'"}',
        b'"query"',
        b"7",
        b"[" * 100_000,
        b'{"query":"NewBlock","x":' + b"[" * 300 + b"]" * 300 + b"} x",
        b'{"query":"NewBlock","x":' + b"1" * 10_000 + b"} x",
    ],
)
def test_no_queries(data: bytes) -> None:
    """Everything else is refused in the same words."""
    assert envelope.parse(data, LIMITS) == (data, "", None, INVALID_QUERY_FIELD)


def test_an_empty_message_is_ignored() -> None:
    """As nodes of release 9 do."""
    assert envelope.parse(b"", LIMITS) is None


@pytest.mark.parametrize(
    "data", [b"", b"x", b"[]", b'{"jsonrpc":"2.0"}', b'{"Action":"heartbeat"}', b'["query"]']
)
def test_first_messages_of_others(data: bytes) -> None:
    """Only an object with a query is claimed."""
    assert not envelope.claims(data)


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        (ErrorForm.JSON, b'{"type":"Error","error":"no contract found in list"}'),
        (ErrorForm.BARE, b"no contract found in list"),
    ],
)
def test_errors(form: ErrorForm, expected: bytes) -> None:
    """One form for all."""
    made = envelope.make_envelope(form)
    assert made.render_fault(b"token", NO_CONTRACT_FOUND) == expected
    assert made.id_width == 0


def test_errors_are_json_whatever_they_say() -> None:
    """Quotes do not break the object."""
    fault: Any = Fault(code=0, message='a "quoted" word')
    assert orjson.loads(envelope.render_json_fault(b"", fault))["error"] == fault.message


def test_what_never_happens_here() -> None:
    """Batches and single notices have a form all the same."""
    assert envelope.render_batch([b"a", b"b"]) == b"a\nb"
    assert envelope.render_notice(b"text", None).head == b"text"
