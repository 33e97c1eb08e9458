"""pyzil, unmodified, reads a balance and pays over HTTP.

It needs older releases of its own dependencies than the server may have, so it can live in an
environment of its own: ``CHAINWS_PYZIL`` names a Python that has what ``pyzil.txt`` lists.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import pytest

from tests.running import Running, free_port
from twisted_chainws.dialects.zilliqa.address import encode_bech32
from twisted_chainws.sources.devchain.accounts import WELL_KNOWN_ACCOUNTS

pytestmark = pytest.mark.interop

PROGRAM: Final = Path(__file__).resolve().parent / "client_pyzil.py"
PAYEE: Final = "77" * 20
QA_PER_ZIL: Final = 10**12
LIMIT_S: Final = 120


def _python() -> str:
    """Return an interpreter that has pyzil, or skip."""
    python = os.environ.get("CHAINWS_PYZIL", sys.executable)
    known = subprocess.run(
        [python, "-c", "import pyzil.account, pyzil.zilliqa.chain"],
        capture_output=True,
        check=False,
        timeout=LIMIT_S,
    )
    if known.returncode:
        pytest.skip(f"pyzil is not installed for {Path(python).name}; see CHAINWS_PYZIL")
    return python


@pytest.fixture(scope="module", name="report")
def _report() -> Any:
    """Run the program against a server and return what it saw."""
    python, port = _python(), free_port()
    with Running("--silent", "--listen", f"zilliqa=tcp:{port}") as server:
        server.wait(port)
        secret = WELL_KNOWN_ACCOUNTS[0].key.hex()
        ended = subprocess.run(
            [python, str(PROGRAM), f"http://127.0.0.1:{port}/", secret, PAYEE],
            capture_output=True,
            text=True,
            check=False,
            timeout=LIMIT_S,
        )
        assert ended.returncode == 0, ended.stderr
        assert server.faults() == []
    return json.loads(ended.stdout.splitlines()[-1])


def test_it_reads_balances(report: Any) -> None:
    """The account of the key is funded; one that was never paid owns nothing."""
    address = WELL_KNOWN_ACCOUNTS[0].zilliqa_address
    assert report["address"] == encode_bech32(address)
    assert report["before"] == 10_000 * QA_PER_ZIL
    assert report["nothing"] == 0
    assert (report["network"], report["price"]) == ("222", 2_000_000_000)


def test_it_pays(report: Any) -> None:
    """What it signed is taken, mined and found again, and the money moved."""
    amount, fee = 3 * QA_PER_ZIL // 2, 50 * report["price"]
    assert report["info"] == "Txn processed"
    assert report["transaction"]["ID"] == report["id"]
    assert report["transaction"]["receipt"]["success"] is True
    assert report["transaction"]["amount"] == str(amount)
    assert report["after"] == report["before"] - amount - fee
    assert report["received"] == amount
    assert report["nonce"] == 1


def test_it_is_told_why_not(report: Any) -> None:
    """A refusal reaches the application in the node's words."""
    assert report["refused"] == "Expected Nonce: 2"
