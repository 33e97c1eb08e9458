import copy
import pickle

import pytest

from twisted_chainws.websocket import codes
from twisted_chainws.websocket.codes import (
    MESSAGES,
    SENDABLE,
    ClientEvent,
    CloseCode,
    ConnectionClosed,
    ErrorCode,
    NotOpen,
    ServerEvent,
    WebSocketError,
)
from twisted_chainws.websocket.values import CloseResult

DOCUMENTED = {
    200: "Websocket connect failed",
    201: "Permission denied.",
    401: "Parameter error.",
    2302001: "Websocket url error.",
    2302002: "Websocket certificate file does not exist.",
    2302003: "Websocket connection already exists.",
    2302004: "Can't listen on the given NIC.",
    2302005: "Can't listen on the given Port.",
    2302006: "websocket connection does not exist.",
    2302007: "Websocket port already occupied",
    2302998: "It is not allowed to access this domain.",
    2302999: "Internal error.",
}
CLASSES = {
    200: codes.ConnectFailed,
    401: codes.ParameterError,
    2302001: codes.UrlError,
    2302002: codes.CertificateNotFound,
    2302003: codes.AlreadyConnected,
    2302006: codes.ConnectionNotFound,
}


def test_every_code_has_the_documented_words() -> None:
    """(d) Numbers and messages are those of the reference's error page."""
    assert {int(code): words for code, words in MESSAGES.items()} == DOCUMENTED
    assert {int(code) for code in ErrorCode} == set(DOCUMENTED)


@pytest.mark.parametrize("code", DOCUMENTED)
def test_error_of_a_code(code: int) -> None:
    """An error has code, documented message, and the class that belongs to the code."""
    error = WebSocketError(code, data="why", http_status=503)
    assert (error.code, error.message, error.data) == (code, DOCUMENTED[code], "why")
    assert error.http_status == 503
    assert type(error) is CLASSES.get(code, WebSocketError)
    assert str(error) == f"{code} {DOCUMENTED[code]} (why)"


def test_error_with_words_of_its_own() -> None:
    """A server's start may say other words than the table."""
    error = WebSocketError(2302999, "Websocket other unknown error.")
    assert str(error) == "2302999 Websocket other unknown error."
    assert (error.data, error.http_status) == (None, None)


def test_unknown_code() -> None:
    """There is no error without a documented number."""
    with pytest.raises(ValueError, match="7 is not a valid ErrorCode"):
        WebSocketError(7)


def test_errors_can_be_copied() -> None:
    """Errors survive copying and pickling, as exceptions should."""
    error = WebSocketError(401, data="x")
    for twin in (copy.copy(error), pickle.loads(pickle.dumps(error))):  # noqa: S301 - ours
        assert (type(twin), str(twin)) == (type(error), str(error))
    closed = ConnectionClosed(CloseResult(4000, "over"))
    assert copy.copy(closed).close_result == closed.close_result


def test_not_open_and_connection_closed() -> None:
    """Both are internal errors by number, with what is wrong as detail."""
    assert (NotOpen().code, NotOpen().data) == (2302999, "not open")
    closed = ConnectionClosed(CloseResult(4000, "over"))
    assert (closed.code, closed.data) == (2302999, "closed: 4000 over")


def test_sendable_codes() -> None:
    """(j) 1000-1003, 1007-1013 and 3000-4999 may be sent, and nothing else."""
    some = [code for code in range(6000) if code in SENDABLE]
    assert some == [1000, 1001, 1002, 1003, *range(1007, 1014), *range(3000, 5000)]
    assert {CloseCode.NO_STATUS, CloseCode.ABNORMAL, 1004, 1014, 1015}.isdisjoint(SENDABLE)


def test_event_names() -> None:
    """Events are called as in the reference."""
    assert {event.value for event in ClientEvent} == {
        "open", "message", "close", "error", "dataEnd", "headerReceive",
    }  # fmt: skip
    assert {event.value for event in ServerEvent} == {
        "connect", "messageReceive", "close", "error",
    }  # fmt: skip
