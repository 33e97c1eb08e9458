import pytest
from OpenSSL import SSL
from service_identity.exceptions import VerificationError

from twisted_chainws.websocket.codes import ErrorCode, WebSocketError
from twisted_chainws.websocket.retrying import Backoff, is_worth_retrying, retry_after_s
from twisted_chainws.websocket.values import CloseResult, ResponseHeaders

NOW = 1_700_000_000.0


@pytest.mark.parametrize("code", [1001, 1005, 1006, 1011, 1012, 1013])
def test_closes_worth_retrying(code: int) -> None:
    """A server that goes away, breaks or vanishes may be back."""
    assert is_worth_retrying(CloseResult(code, ""))


@pytest.mark.parametrize("code", [1000, 1002, 1003, 1007, 1008, 1009, 1010, 3000, 4000])
def test_closes_for_good(code: int) -> None:
    """A regular close, or one about what we said, would come again."""
    assert not is_worth_retrying(CloseResult(code, ""))


@pytest.mark.parametrize("status", [None, 408, 425, 429, 500, 502, 503, 504])
def test_failures_worth_retrying(status: int | None) -> None:
    """No answer, or one that speaks of now, may be another one later."""
    assert is_worth_retrying(WebSocketError(200, http_status=status))


@pytest.mark.parametrize("status", [101, 301, 400, 401, 403, 404, 407])
def test_refusals_for_good(status: int) -> None:
    """Answers about the request stay the same."""
    assert not is_worth_retrying(WebSocketError(200, http_status=status))


@pytest.mark.parametrize("code", [code for code in ErrorCode if code != 200])
def test_other_errors(code: ErrorCode) -> None:
    """What was wrong before the dial is wrong again."""
    assert not is_worth_retrying(WebSocketError(code))


@pytest.mark.parametrize(
    ("cause", "worth"),
    [
        (VerificationError(errors=[]), False),
        (SSL.Error([("SSL routines", "", "certificate verify failed")]), False),
        (SSL.Error([("SSL routines", "", "tlsv1 alert unknown ca")]), False),
        (SSL.Error([("SSL routines", "", "tlsv13 alert certificate required")]), False),
        (SSL.Error([("SSL routines", "", "wrong version number")]), True),
        (SSL.SysCallError(-1, "Unexpected EOF"), True),
        (ConnectionRefusedError(), True),
        (TimeoutError("certificate"), True),
    ],
)
def test_certificates(cause: Exception, worth: bool) -> None:
    """A certificate that is not accepted, on either side, is not worth another attempt."""
    error = WebSocketError(200)
    error.__cause__ = cause
    assert is_worth_retrying(error) is worth


def test_longest_waits() -> None:
    """The longest wait grows by the factor up to its limit, and stays there for ever."""
    backoff = Backoff(initial_s=1, factor=2, max_s=5)
    assert [backoff.longest_s(number) for number in range(5)] == [1, 2, 4, 5, 5]
    assert backoff.longest_s(10**6) == 5
    assert Backoff().longest_s(0) == 1
    assert Backoff().longest_s(1) == pytest.approx(1.8)
    assert Backoff().longest_s(99) == 60


@pytest.mark.parametrize(
    ("value", "wait"),
    [
        ("7", 7),
        ("Tue, 14 Nov 2023 22:13:30 GMT", 10),
        ("Tue, 14 Nov 2023 22:13:10 GMT", 0),
        ("soon", 0),
        ("-5", 0),
        ("", 0),
        ("\u00b2", 0),
    ],
)
def test_retry_after(value: str, wait: float) -> None:
    """Retry-After is seconds or a date; anything else does not count."""
    assert retry_after_s(ResponseHeaders([("Retry-After", value)]), NOW) == wait


def test_retry_after_missing_or_twice() -> None:
    """Without the header, or with two of them, the server does not say."""
    assert retry_after_s(ResponseHeaders(), NOW) == 0
    twice = ResponseHeaders([("Retry-After", "1"), ("Retry-After", "2")])
    assert retry_after_s(twice, NOW) == 0


def test_number_of_attempts() -> None:
    """Without a limit it is never over."""
    assert not Backoff().is_over(1_000_000)
    assert [Backoff(max_attempts=2).is_over(failures) for failures in (1, 2, 3)] == [
        False,
        True,
        True,
    ]
