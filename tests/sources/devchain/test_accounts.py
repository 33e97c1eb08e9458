"""The well-known accounts."""

import subprocess
import sys

from twisted_chainws.sources.devchain.accounts import WELL_KNOWN_ACCOUNTS, banner_lines


def test_first_account_is_the_one_everybody_knows() -> None:
    """Account 0 has the address and key of the specification."""
    first = WELL_KNOWN_ACCOUNTS[0]
    assert first.address.hex() == "f39fd6e51aad88f6f4ce6ab8827279cfffb92266"
    assert first.key.hex() == "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"
    assert len({account.address for account in WELL_KNOWN_ACCOUNTS}) == 10


def test_banner_shows_keys_only_when_told() -> None:
    """Each account has a line with its balance, and with its key only on demand."""
    lines = banner_lines(WELL_KNOWN_ACCOUNTS[:2], show_keys=False, balance_ether=5)
    assert lines[2] == "(0) 0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266 (5 ETH)"
    assert len(lines) == 4
    shown = banner_lines(WELL_KNOWN_ACCOUNTS[:2], show_keys=True, balance_ether=5)
    assert shown[-1] == "(1) 0x" + WELL_KNOWN_ACCOUNTS[1].key.hex()


def test_the_parent_never_imports_the_engine() -> None:
    """The parent's half works without py-evm and eth-account being loaded."""
    program = (
        "import sys; import twisted_chainws.sources.devchain.source;"
        "sys.exit(any(name in sys.modules for name in ('eth', 'eth_account', 'eth_keys')))"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
