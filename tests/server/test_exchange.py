import gzip

import pytest

from twisted_chainws.server.exchange import _takes_gzip, compressed


@pytest.mark.parametrize(
    ("header", "verdict"),
    [
        (None, False),
        ("", False),
        ("gzip", True),
        ("GZIP;q=0.5, br", True),
        ("br, deflate", False),
        ("*", True),
        ("gzip; q=0", False),
        ("gzip;q=0.000", False),
        ("xgzip", False),
    ],
)
def test_who_takes_gzip(header: str | None, verdict: bool) -> None:
    """Compression needs a client that names it, with a weight above zero."""
    assert _takes_gzip(header) is verdict


def test_compressed_bodies_are_gzip() -> None:
    """Any client's gzip reads it."""
    assert gzip.decompress(compressed(b"x" * 10_000)) == b"x" * 10_000
