"""Jobs limit themselves."""

import pytest

from twisted_chainws.errors import ExecutionTimeout
from twisted_chainws.sources.devchain.engine.jobs import read_job
from twisted_chainws.sources.devchain.engine.limit import TimeUp


def _forever() -> None:
    while True:
        pass


def test_a_read_that_takes_long_is_given_up_in_place_and_in_a_child() -> None:
    """In place the worker is told to fork; in a child the asker is told of the timeout."""
    job = read_job(_forever, timeout_s=0.05)
    with pytest.raises(TimeUp):
        job.run(None)
    with pytest.raises(ExecutionTimeout) as caught:
        job.run(lambda _: None)
    assert caught.value.timeout_s == 0.05
    assert isinstance(job.killed(b""), ExecutionTimeout)


def test_a_quick_read_answers() -> None:
    """The value of the read is the value of the job."""
    assert read_job(lambda: 5, timeout_s=1).run(None) == 5
