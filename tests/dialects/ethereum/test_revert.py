import pytest
from eth_abi import encode as abi_encode

from twisted_chainws.dialects.ethereum.revert import encode_revert_message, go_duration

ERROR = bytes.fromhex("08c379a0")
PANIC = bytes.fromhex("4e487b71")


def panic(code: int) -> bytes:
    """Encode ``Panic(code)``."""
    return PANIC + code.to_bytes(32, "big")


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"", "execution reverted"),
        (b"\1\2\3\4", "execution reverted"),
        (ERROR + abi_encode(["string"], ["boom"]), "execution reverted: boom"),
        (ERROR + abi_encode(["string"], ["é" * 40]), "execution reverted: " + "é" * 40),
        (ERROR, "execution reverted"),
        (ERROR + b"\xff" * 32, "execution reverted"),
        (ERROR + (32).to_bytes(32, "big") + b"\xff" * 32, "execution reverted"),
        (panic(0x01), "execution reverted: assert(false)"),
        (panic(0x11), "execution reverted: arithmetic underflow or overflow"),
        (panic(0x12), "execution reverted: division or modulo by zero"),
        (panic(0x51), "execution reverted: uninitialized function"),
        (panic(0x77), "execution reverted: unknown panic code: 0x77"),
        (PANIC + b"\1", "execution reverted"),
    ],
)
def test_message(data: bytes, text: str) -> None:
    """Error strings and panics are read; anything else stays bare."""
    assert encode_revert_message(data) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0s"), (0.5, "500ms"), (5, "5s"), (1.5, "1.5s"), (20.0, "20s"), (60, "1m0s"),
        (90, "1m30s"), (3600, "1h0m0s"),
    ],
)  # fmt: skip
def test_duration(seconds: float, text: str) -> None:
    """Durations read as Go writes them."""
    assert go_duration(seconds) == text
