"""JSON members to values."""

from twisted_chainws.sources.devchain.engine.requests import (
    parse_access_list,
    parse_authorizations,
    parse_block_overrides,
    parse_call,
    parse_state_overrides,
)

A = "0x" + "aa" * 20
ONE = "0x" + "00" * 31 + "01"


def test_an_empty_call_has_defaults() -> None:
    """Nothing given means the zero sender, a creation, no value and any gas."""
    call = parse_call({})
    assert (call.sender, call.to, call.value, call.data) == (bytes(20), b"", 0, b"")
    assert call.gas is None
    assert call.access_list == ()
    assert (call.blob_hashes, call.authorizations, call.max_blob_fee) == (None, None, None)
    assert (call.fee_cap, call.tip) == (0, 0)


def test_a_full_call_is_read() -> None:
    """Hex strings and integers both count as quantities."""
    call = parse_call(
        {
            "from": A,
            "to": A,
            "gas": "0x10",
            "maxFeePerGas": 9,
            "maxPriorityFeePerGas": "0x2",
            "value": "0x3",
            "data": "0x0102",
            "accessList": [{"address": A, "storageKeys": [ONE]}],
            "blobVersionedHashes": [ONE],
            "maxFeePerBlobGas": "0x7",
        }
    )
    assert (call.sender, call.to, call.gas, call.value) == (b"\xaa" * 20, b"\xaa" * 20, 16, 3)
    assert (call.fee_cap, call.tip, call.max_blob_fee) == (9, 2, 7)
    assert call.access_list == ((b"\xaa" * 20, (1,)),)
    assert call.blob_hashes == (bytes(31) + b"\x01",)
    assert parse_call({"gasPrice": "0x5"}).fee_cap == parse_call({"gasPrice": 5}).tip == 5


def test_access_lists_may_lack_keys() -> None:
    """A missing or null key list is an empty one."""
    given = [{"address": A}, {"address": A, "storageKeys": None}]
    assert parse_access_list(given) == ((b"\xaa" * 20, ()),) * 2


def test_authorizations_are_read() -> None:
    """All members are quantities but the address; absence stays absent."""
    item = {"chainId": "0x1", "address": A, "nonce": "0x2", "yParity": "0x1", "r": "0x3", "s": 4}
    (read,) = parse_authorizations([item]) or ()
    assert (read.chain_id, read.address, read.nonce) == (1, b"\xaa" * 20, 2)
    assert (read.y_parity, read.r, read.s) == (1, 3, 4)
    assert parse_authorizations(None) is None


def test_overrides_are_read() -> None:
    """Members that are missing stay None; null block members are ignored."""
    (account,) = parse_state_overrides({A: {"balance": "0x1", "stateDiff": {ONE: ONE}}})
    assert (account.address, account.balance, account.nonce) == (b"\xaa" * 20, 1, None)
    assert (account.state, account.state_diff, account.code) == (None, {1: 1}, None)
    block = parse_block_overrides({"number": "0x5", "time": None, "feeRecipient": A})
    assert block.header == {"block_number": 5, "coinbase": b"\xaa" * 20}
    assert block.blob_base_fee is None
    assert parse_state_overrides(None) == ()
    assert parse_block_overrides(None).header == {}
