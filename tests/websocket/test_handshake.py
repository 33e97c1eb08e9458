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
