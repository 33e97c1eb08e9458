import pytest

from twisted_chainws.client.ethereum.methods import is_repeatable


@pytest.mark.parametrize(
    "method",
    [
        *("eth_call", "eth_getBalance", "eth_getLogs", "eth_getFilterLogs", "eth_getBlockByNumber"),
        *("eth_chainId", "eth_blockNumber", "eth_gasPrice", "eth_feeHistory", "eth_estimateGas"),
        *("eth_getTransactionCount", "eth_simulateV1", "eth_createAccessList", "eth_accounts"),
        *("net_version", "web3_sha3", "txpool_content", "rpc_modules", "debug_traceTransaction"),
        *("debug_getRawBlock", "anvil_nodeInfo", "anvil_getAutomine", "hardhat_metadata"),
        *("alchemy_getTokenBalances", "eth_signTypedData_v4", "eth_getProof"),
    ],
)
def test_reads(method: str) -> None:
    """What only reads may be asked twice."""
    assert is_repeatable(method)


@pytest.mark.parametrize(
    "method",
    [
        *("eth_sendTransaction", "eth_sendRawTransaction", "eth_sendRawTransactionSync"),
        *("eth_sendUnsignedTransaction", "eth_resend", "eth_submitWork", "eth_getWork"),
        *("eth_getFilterChanges", "eth_newFilter", "eth_uninstallFilter", "eth_sendBundle"),
        *("evm_mine", "evm_snapshot", "anvil_mine", "anvil_setBalance", "hardhat_mine"),
        *("debug_setHead", "personal_sendTransaction", "admin_addPeer", "engine_newPayloadV3"),
        *("chainws_registerAbi", "unknown", "", "eth_callx", "xeth_call"),
    ],
)
def test_others(method: str) -> None:
    """What writes, takes something away, or is not known may not."""
    assert not is_repeatable(method)
