import resource
import subprocess
import sys
from collections.abc import Iterator

import pytest
from twisted.logger import capturedLogs

from twisted_chainws.server.descriptors import raise_descriptor_limit

WARNING = "only 512 open files are allowed: about as many clients can connect (ulimit -n)"

PROGRAM = """
import resource
resource.setrlimit(resource.RLIMIT_NOFILE, {limits})
from twisted.logger import globalLogPublisher, formatEvent
globalLogPublisher.addObserver(lambda event: print(event["log_level"].name, formatEvent(event)))
from twisted_chainws.server.descriptors import raise_descriptor_limit
print(raise_descriptor_limit(), resource.getrlimit(resource.RLIMIT_NOFILE)[0])
"""


@pytest.mark.parametrize(
    ("limits", "expected"),
    [
        (
            (64, 512),
            f"warn {WARNING}\n512 512\n",
        ),
        ((256, 12_000), "12000 12000\n"),
        ((12_000, 12_000), "12000 12000\n"),
    ],
)
def test_the_limit_of_open_files_is_raised(limits: tuple[int, int], expected: str) -> None:
    """The soft limit becomes the hard one, with a warning when that is still little."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(limits=limits)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == expected


@pytest.fixture
def limits() -> Iterator[tuple[int, int]]:
    """The limits of this process, which are put back afterwards."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    yield before
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_the_soft_limit_follows_the_hard_one(limits: tuple[int, int]) -> None:
    """In this very process, too, and a second time nothing is left to do."""
    _, hard = limits
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))
    raised = raise_descriptor_limit()
    assert raised > 256
    assert resource.getrlimit(resource.RLIMIT_NOFILE) == (raised, hard)
    assert raise_descriptor_limit() == raised


def test_a_system_that_refuses_is_lived_with(
    limits: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the limit cannot be raised it stays, and little is warned about."""

    def refuse(_what: int, _limits: tuple[int, int]) -> None:
        raise ValueError("not allowed to raise maximum limit")

    resource.setrlimit(resource.RLIMIT_NOFILE, (256, limits[1]))
    with monkeypatch.context() as patched, capturedLogs() as logged:
        patched.setattr(resource, "setrlimit", refuse)
        assert raise_descriptor_limit() == 256
    levels = [event["log_level"].name for event in logged if "soft" in event or "error" in event]
    assert levels == ["debug", "warn"]
