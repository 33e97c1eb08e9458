"""A token (EIP-20) that answers the questions about balances and tells of transfers it does not make."""

from typing import Final

from tests.assembler import assemble
from tests.contract import selector
from twisted_chainws.dialects.ethereum.token_logs import TRANSFER

_SYMBOL: Final = "0x" + b"TOK".ljust(32, b"\0").hex()

TOKEN: Final = assemble(
    f"""
    0x00 CALLDATALOAD 0xe0 SHR
    DUP1 {selector("balanceOf(address)")} EQ @balance JUMPI
    DUP1 {selector("symbol()")} EQ @symbol JUMPI
    DUP1 {selector("decimals()")} EQ @decimals JUMPI
    DUP1 {selector("transfer(address,uint256)")} EQ @transfer JUMPI
    0x00 0x00 REVERT

    :balance                               ; everybody has what the last byte of the address says
    0x04 CALLDATALOAD 0xf8 SHL 0xf8 SHR 0x00 MSTORE 0x20 0x00 RETURN

    :symbol                                ; an ABI string
    0x20 0x00 MSTORE 0x03 0x20 MSTORE {_SYMBOL} 0x40 MSTORE
    0x60 0x00 RETURN

    :decimals
    0x06 0x00 MSTORE 0x20 0x00 RETURN

    :transfer                              ; tell of it and do nothing
    0x24 CALLDATALOAD 0x00 MSTORE
    0x04 CALLDATALOAD CALLER 0x{TRANSFER.hex()} 0x20 0x00 LOG3 STOP
    """
)
