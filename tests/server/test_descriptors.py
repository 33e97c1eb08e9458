import subprocess
import sys

import pytest

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
