"""What the tests of the clients share."""

from tests.websocket.conftest import capture_log, collecting_is_quick, nothing_left

__all__ = ["capture_log", "collecting_is_quick", "nothing_left"]
