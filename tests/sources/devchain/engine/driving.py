"""A node in this process: commands run to their end, jobs where they are yielded."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from twisted_chainws.sources.devchain.accounts import WELL_KNOWN_ACCOUNTS
from twisted_chainws.sources.devchain.codec import encode_hex
from twisted_chainws.sources.devchain.engine.jobs import Job
from twisted_chainws.sources.devchain.engine.node import Node
from twisted_chainws.sources.devchain.methods import READS
from twisted_chainws.sources.devchain.settings import DevchainSettings

ADDRESSES = tuple(encode_hex(account.address) for account in WELL_KNOWN_ACCOUNTS)
NOW = 1_800_000_000


class Driven:
    """A node and the events it told."""

    def __init__(self, node: Node) -> None:
        self.node = node
        self.hub = node.hub
        self.jobs: list[Job] = []

    @property
    def head(self) -> str:
        return encode_hex(self.hub.engine.head_hash)

    def ask(self, method: str, **params: Any) -> Any:
        """Ask as through the pipe; jobs run as they would in a child."""
        if method in READS:
            found = self.node.read(method, params)
            return self._run(found) if isinstance(found, Job) else found
        command = self.node.write(method, params)
        try:
            job = next(command)
            while True:
                try:
                    value = self._run(job)
                except Exception as error:  # noqa: BLE001 - it belongs to the command
                    job = command.throw(error)
                else:
                    job = command.send(value)
        except StopIteration as stop:
            return stop.value

    def _run(self, job: Job) -> Any:
        self.jobs.append(job)
        return job.run(lambda _: None)

    def send(self, sender: int = 0, **members: Any) -> Any:
        request = {"from": ADDRESSES[sender], "to": ADDRESSES[9], "value": "0x1", **members}
        return self.ask("send", transaction=request)

    def events(self) -> list[str]:
        return [name for name, _ in self.hub.take_events()]


@contextmanager
def driven(path: Path, **settings: Any) -> Iterator[Driven]:
    """Open a node on a file, its clock standing still, and close it afterwards."""
    node = Node.open(
        str(path / "chain"),
        DevchainSettings(**settings),
        wall_clock=lambda: float(NOW),
        random_bytes=lambda size: b"\x07" * size,
    )
    try:
        yield Driven(node)
    finally:
        node.close()
