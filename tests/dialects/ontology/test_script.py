from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.dialects.ontology.strategies import addresses
from tests.dialects.ontology.test_values import plain, values
from tests.dialects.ontology.vectors import named_transaction, vectors
from twisted_chainws.chain.types import Address20
from twisted_chainws.dialects.ontology.address import decode_address
from twisted_chainws.dialects.ontology.script import (
    Evaluation,
    NativeCall,
    ScriptFailed,
    build_call,
    build_push,
    code_gas,
    evaluate,
    highest_gas,
    native_calls,
    transaction_gas,
)
from twisted_chainws.dialects.ontology.values import Array, Budget, Struct, encode_argument
from twisted_chainws.errors import ExecutionFailed, Unsupported

ONT = Address20(bytes(19) + b"\1")
FROM = bytes.fromhex(vectors("accounts")[0]["address_bytes"])
TO = bytes.fromhex(vectors("accounts")[1]["address_bytes"])
INVOKE = bytes.fromhex("68164f6e746f6c6f67792e4e61746976652e496e766f6b65")


def sample_code(name: str) -> bytes:
    """Return the script of a sample."""
    return bytes.fromhex(named_transaction(name)["invoke_code"])


def never(_call: NativeCall) -> bytes:
    """Stand for contracts that must not be called."""
    raise AssertionError


def run(code: bytes) -> Evaluation:
    """Run a script that calls nothing."""
    return evaluate(code, never)


@pytest.mark.parametrize("sample", vectors("native_args"), ids=lambda it: it["note"])
def test_published_arguments(sample: dict[str, str]) -> None:
    """The samples hand the sample arguments over."""
    [call] = native_calls(sample_code(sample["note"]))
    assert (call.method, call.arguments.hex()) == (sample["method"], sample["args"])


CONTRACTS = {item["hex_reversed"] for item in vectors("native_contracts").values()}


@pytest.mark.parametrize("sample", vectors("transactions"), ids=lambda it: it["name"])
def test_published_scripts(sample: dict[str, Any]) -> None:
    """Every sample of SDKs is one call of ONT or ONG and costs the least there is."""
    code = bytes.fromhex(sample["invoke_code"])
    [call] = native_calls(code)
    assert call.contract in {ONT, decode_address("02" + 38 * "0")}
    assert call.method.encode() in code
    assert call.version == 0
    found = evaluate(code, lambda _call: b"\1")
    assert found.result == b"\1"
    assert 1_000 < found.gas < 1_100
    assert transaction_gas(code, found.gas) == 20_000


WRITTEN = [
    ("ont_transfer_1", "transfer", Array([Struct([FROM, TO, 1])])),
    ("ong_approve", "approve", Struct([FROM, TO, 10**9])),
    ("ong_transfer_from", "transferFrom", Struct([TO, FROM, TO, 10**9])),
    ("ont_transfer_other_payer", "transfer", Array([Struct([FROM, TO, 16])])),
    ("ont_balance_of", "balanceOf", FROM),
    ("ont_allowance", "allowance", Struct([FROM, TO])),
    ("ont_decimals", "decimals", 0),
    ("ts_ont_transfer_v2", "transferV2", Array([Struct([FROM, TO, b"\x01\x2f\x68\x59\0\0\0\0"])])),
]


@pytest.mark.parametrize(("name", "method", "argument"), WRITTEN)
def test_written_scripts(name: str, method: str, argument: Any) -> None:
    """Scripts are written as SDKs write them, byte by byte."""
    code = sample_code(name)
    assert build_call(native_calls(code)[0].contract, method, argument) == code


def test_a_call_without_arguments() -> None:
    """Without arguments an empty array is handed over."""
    code = build_call(ONT, "name")
    assert code == bytes.fromhex("00c1046e616d6514") + ONT + b"\0" + INVOKE
    call = NativeCall(contract=ONT, method="name", arguments=b"\0", version=0)
    assert native_calls(code) == (call,)
    with pytest.raises(ValueError, match="without a name"):
        build_call(ONT, "")


@given(addresses, st.text(min_size=1, max_size=40), values.filter(lambda it: it != b""))
def test_calls_round_trip(contract: Address20, method: str, argument: Any) -> None:
    """Whatever is written is called; empty bytes and booleans are written as other values."""
    if "False" in repr(argument) or "True" in repr(argument) or "b''" in repr(argument):
        return
    written = encode_argument(argument, Budget())
    call = NativeCall(contract=contract, method=method, arguments=written, version=0)
    assert native_calls(build_call(contract, method, argument)) == (call,)


@given(st.integers(-(2**70), 2**70))
def test_pushed_numbers(number: int) -> None:
    """A number is pushed in the shortest way."""
    code = build_push(number)
    found = run(code).result
    assert found == number if isinstance(found, int) else encode_argument(number, Budget())[1:]
    assert len(code) == 1 or not -1 <= number <= 15


def test_several_calls() -> None:
    """Calls are made in order; the last answer is the result."""
    one = build_call(ONT, "balanceOf", FROM)
    code = one + b"\x75" + build_call(ONT, "balanceOf", TO)
    answers = {b"\x14" + FROM: b"\7", b"\x14" + TO: b"\x08"}
    found = evaluate(code, lambda call: answers[call.arguments])
    assert found == Evaluation(result=b"\x08", gas=2 * evaluate(one, lambda _: b"").gas + 1)


RESULTS: list[tuple[str, Any]] = [
    ("61", None),
    ("00", 0),
    ("4f", -1),
    ("51", 1),
    ("60", 16),
    ("0161", b"a"),
    ("4c0161", b"a"),
    ("4d010061", b"a"),
    ("4e0100000061", b"a"),
    ("516652", 1),
    ("51526b6a", 2),
    ("51526b6c", 2),
    ("515275", 1),
    ("51527c", 1),
    ("515276", 2),
]


@pytest.mark.parametrize(("code", "result"), RESULTS)
def test_operations(code: str, result: Any) -> None:
    """Each operation leaves what it should on top of the stack."""
    found = run(bytes.fromhex(code)).result
    assert (type(found), found) == (type(result), result)


LISTS: list[tuple[str, Any]] = [
    ("515252c1", Array([2, 1])),
    ("00c1", Array()),
    ("52c6", Struct([False, False])),
    ("00c6765ac8", Struct([10])),
    ("00c1765ac8", Array([10])),
    ("00c67600c6c8", Struct([Struct()])),
    ("0100c6", Struct()),
]


@pytest.mark.parametrize(("code", "result"), LISTS)
def test_lists(code: str, result: Any) -> None:
    """Arrays and structs are made and filled."""
    assert plain(run(bytes.fromhex(code)).result) == plain(result)


def test_a_struct_is_copied() -> None:
    """What is appended of a struct is what it was then; an array stays the same one."""
    # array, struct; append the struct to the array, then 1 to the struct.
    struct = run(bytes.fromhex("00c16b00c6766a7cc851c86c"))
    assert plain(struct.result) == plain(Array([Struct()]))
    array = run(bytes.fromhex("00c16b00c1766a7cc851c86c"))
    assert plain(array.result) == plain(Array([Array([1])]))


OPERATION = "[NeoVmService] vm execution error!: "
CALL = "[NeoVmService] service system call error!: "
SERVICE = CALL + "[SystemCall] service execution error!: "

FAILURES = [
    (b"", "[NeoVmService] vm execution code was invalid!"),
    (b"\x05\1", OPERATION + "EOF"),
    (b"\x4d\1", OPERATION + "EOF"),
    (b"\x4e\xff\xff\xff\xff", OPERATION + "EOF"),
    (b"\x75", OPERATION + "the index out of bound"),
    (b"\x6a", OPERATION + "the index out of bound"),
    (b"\x6c", OPERATION + "the index out of bound"),
    (b"\x51\x7c", OPERATION + "the index out of bound"),
    (b"\x51\xc1", OPERATION + "the index out of bound"),
    (b"\x4f\xc1", OPERATION + "bad value"),
    (b"\x4f\xc6", OPERATION + "bad value"),
    (b"\x02\1\4\xc6", OPERATION + "bad value"),
    (b"\x00\xc1\xc6", OPERATION + "bad type"),
    (b"\x51\x51\xc8", OPERATION + "[executor] ExecuteOp APPEND error, unknown datatype"),
    (b"\x51" * 1_025 + b"\x02\1\4\xc1", OPERATION + "the array over max size"),
    (b"\x51" * 2_049, OPERATION + "the count over the stack length"),
    (b"\x51\x6b" * 2_049, OPERATION + "the count over the stack length"),
    (b"\x68\x16Ontology", CALL + "EOF"),
    (INVOKE, SERVICE + "the index out of bound"),
    (b"\x00\x01a\x51\x00" + INVOKE, SERVICE + "invoke native contract:01, address invalid"),
    (
        b"\x00\x4d\1\4" + bytes(1_025) + b"\x14" + ONT + b"\x00" + INVOKE,
        SERVICE + "invoke native contract: method too long, over max length 1024 limit",
    ),
    (
        b"\x00\xc1\x76\x76\xc8\x01a\x14" + ONT + b"\x00" + INVOKE,
        SERVICE + "runtime serialize: can not serialize circular reference data",
    ),
]


@pytest.mark.parametrize(("code", "reason"), FAILURES, ids=[reason for _, reason in FAILURES])
def test_failures(code: bytes, reason: str) -> None:
    """What fails fails in the node's words."""
    with pytest.raises(ExecutionFailed) as failure:
        run(code)
    assert failure.value.reason == reason


def test_failing_contract() -> None:
    """What a contract fails with stands behind the words of the calls."""

    def fail(_call: NativeCall) -> bytes:
        raise ExecutionFailed(reason="[Invoke] authentication failed!")

    with pytest.raises(ExecutionFailed) as failure:
        evaluate(sample_code("ont_transfer_1"), fail)
    assert failure.value.reason == SERVICE + "[Invoke] authentication failed!"


MISSING = [
    (b"\x62\x03\0", "opcode 0x62"),
    (b"\xf1", "opcode 0xf1"),
    (b"\x50", "opcode 0x50"),
    (b"\xff", "opcode 0xff"),
    (b"\x67\1", "opcode 0x67"),
    (b"\x67" + bytes(19) + b"\1", "a call of contract 01" + 38 * "0"),
    (b"\x68\x12System.Runtime.Log", "the system call System.Runtime.Log"),
]


@pytest.mark.parametrize(("code", "what"), MISSING)
def test_what_needs_more(code: bytes, what: str) -> None:
    """What SDKs do not build native calls from is refused and named."""
    with pytest.raises(Unsupported) as refusal:
        run(b"\x51" + code)
    assert refusal.value.reason == f"{what} needs a NeoVM, which is not here"


def test_gas_limit() -> None:
    """A script ends where its gas does."""
    code = sample_code("ont_transfer_1")
    gas = evaluate(code, lambda _: b"").gas
    assert evaluate(code, lambda _: b"", gas_limit=gas).gas == gas
    for limit in (0, 10, gas - 1):
        with pytest.raises(ExecutionFailed, match="insufficient gas for transaction!"):
            evaluate(code, never, gas_limit=limit)


SPENT = [(b"", 0), (b"\x75", 1), (b"\x51\x51\x75\x75\x75", 5), (b"\x51" * 2_049, 2_049)]


@pytest.mark.parametrize(("code", "gas"), SPENT)
def test_gas_of_a_failure(code: bytes, gas: int) -> None:
    """What fails tells the gas of its steps, the last one too."""
    with pytest.raises(ScriptFailed) as failure:
        run(code)
    assert failure.value.gas == gas


def test_gas_of_a_failing_call() -> None:
    """A contract that fails has been paid; a step that there is no gas for has not."""

    def fail(_call: NativeCall) -> bytes:
        raise ExecutionFailed(reason="no")

    code = sample_code("ont_transfer_1")
    gas = evaluate(code, lambda _: b"").gas
    with pytest.raises(ScriptFailed) as failure:
        evaluate(code, fail)
    assert failure.value.gas == gas
    with pytest.raises(ScriptFailed) as failure:
        evaluate(code, never, gas_limit=gas - 1)
    assert failure.value.gas == gas - 1_000


PRICES = [(100, 1_050, 20_000), (1_023, 20_000, 20_000), (1_024, 1, 40_000), (100, 20_001, 40_000)]


@pytest.mark.parametrize(("length", "steps", "gas"), PRICES)
def test_prices(length: int, steps: int, gas: int) -> None:
    """A transaction costs whole units, one at least, and one more for each KiB of code."""
    assert transaction_gas(bytes(length), steps) == gas
    assert code_gas(bytes(length)) == (20_000 if length == 1_024 else 0)


@given(
    st.lists(
        st.sampled_from(
            [
                b"\x61",
                b"\x51",
                b"\x01\x07",
                b"\x61" * 700,
                build_call(Address20(bytes(20)), "name"),
                b"\x4d\0\4",
            ]
        )
    )
)
def test_no_script_costs_more_than_its_length_allows(parts: list[bytes]) -> None:
    """The highest price is told without running: steps by the byte, calls by their name."""
    code = b"".join(parts)
    with suppress(ExecutionFailed):
        spent = evaluate(code, lambda _: b"\1").gas
        assert transaction_gas(code, spent) <= highest_gas(code)


def test_the_highest_price_of_a_call() -> None:
    """A plain call cannot cost more than the least there is."""
    assert highest_gas(sample_code("ont_transfer_1")) == 20_000
    assert highest_gas(sample_code("ont_transfer_1") * 20) == 80_000


def _copies(count: int, steps: int) -> bytes:
    """Write a script that copies a struct of 1,024, made in 3 steps, with 4 more for each copy."""
    return b"\x02\x00\x04\xc6\x6b" + b"\x00\xc6\x6a\xc8" * count + b"\x61" * steps


def test_much_work_from_little_code() -> None:
    """A short script cannot ask for much work: there is a limit by its length."""
    enough = 2_557
    run(_copies(2, enough))
    assert 3 + 1_024 + 2 * 1_028 + enough == 500 + 2 * len(_copies(2, enough))
    with pytest.raises(ExecutionFailed, match="vm execution exceeded the step limit!"):
        run(_copies(2, enough - 1))


def test_much_work_from_much_code() -> None:
    """No script can ask for endless work."""
    left = 400_000 - 3 - 1_024 - 100 * 1_028
    run(_copies(100, left))
    with pytest.raises(ExecutionFailed) as failure:
        run(_copies(100, left + 1))
    reason = "[NeoVmService] vm execution exceeded the step limit!"
    assert failure.value.reason == reason


def test_much_room_from_much_code() -> None:
    """Structs that nobody reads need room all the same."""
    with pytest.raises(ExecutionFailed, match="vm execution exceeded the step limit!"):
        run(b"\x02\x00\x04\xc6\x75" * 20_000 + b"\x51" * 10_000)


@given(st.lists(st.sampled_from([*range(0x60), 0x61, *b"\x6a\x6b\x6c\x75\x76\x7c\xc1\xc6\xc8"])))
def test_noise(code: list[int]) -> None:
    """Noise ends in a refusal or in a result, after a step a byte at most, and in nothing else."""
    with suppress(ExecutionFailed, Unsupported):
        assert 0 < run(bytes(code)).gas <= len(code)
