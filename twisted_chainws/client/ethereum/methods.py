"""Which methods may be asked twice. Pure.

What is not known to be harmless counts as a write: sent twice it might spend twice, and of
``eth_getFilterChanges`` a lost answer is lost for good.

Source: ``ethereum.md`` 5, 6.3 point 3.
"""

import re
from typing import Final

__all__ = ["is_repeatable"]

_READS: Final = re.compile(
    r"eth_(?:get(?!FilterChanges$|Work$)\w*|call|callMany|estimateGas|createAccessList|simulateV1"
    r"|feeHistory|gasPrice|maxPriorityFeePerGas|baseFee|blobBaseFee|chainId|blockNumber|syncing"
    r"|accounts|coinbase|mining|hashrate|protocolVersion|config|capabilities|pendingTransactions"
    r"|fillTransaction|sign\w*)"
    r"|(?:web3|net|rpc|txpool|ots|trace|bor)_\w+"
    r"|debug_(?:get|trace|storage|account)\w*"
    r"|alchemy_get\w*"
    r"|(?:anvil|hardhat)_(?:get\w*|nodeInfo|metadata|dumpState)"
)


def is_repeatable(method: str) -> bool:
    """Tell whether asking twice does no more than asking once."""
    return _READS.fullmatch(method) is not None
