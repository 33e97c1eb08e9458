from typing import Any

import pytest

from twisted_chainws.websocket.handshake import Refuse, reason_phrase


def test_refusals_are_whole_http_answers() -> None:
    """A refusal says its length and that the connection ends."""
    text = Refuse(status=503, body=b"full", headers=(("Retry-After", "1"),)).render()
    assert text == (
        b"HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain; charset=utf-8\r\n"
        b"Content-Length: 4\r\nConnection: close\r\nRetry-After: 1\r\n\r\nfull"
    )


def test_unknown_statuses_have_a_phrase() -> None:
    """A status without standard words is still a valid status line."""
    assert reason_phrase(499) == "Error"
    assert reason_phrase(404) == "Not Found"


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"status": 299}, "status"),
        ({"status": 600}, "status"),
        ({"status": "503"}, "status"),
        ({"status": True}, "status"),
        ({"body": "full"}, "body"),
        ({"content_type": "text/plain\r\nX: y"}, "Content-Type"),
        ({"headers": (("X-A", "1\r\nX: y"),)}, "X-A"),
        ({"headers": (("X-A", "1\0"),)}, "X-A"),
        ({"headers": (("X-A", "\u65e5"),)}, "X-A"),
        ({"headers": (("X-A", 5),)}, "X-A"),
        ({"headers": (("X: y\r\nX-A", "1"),)}, "no token"),
        ({"headers": (("", "1"),)}, "no token"),
        ({"headers": ((b"X-A", "1"),)}, "no token"),
    ],
)
def test_what_cannot_be_sent_is_refused_where_it_is_written(
    values: dict[str, Any], words: str
) -> None:
    """No line can be smuggled into the answer, and what is made can be rendered. 4.6 item 18."""
    usual: dict[str, Any] = {"status": 503, "body": b""}
    with pytest.raises(ValueError, match=words):
        Refuse(**(usual | values))
    Refuse(status=599, body=b"", headers=(("X-A", "\xe9\t~"), ("X-B", ""))).render()
