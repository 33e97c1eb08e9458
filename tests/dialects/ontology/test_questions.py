from tests.dialects.ontology.stand import Stand
from twisted_chainws.dialects.ontology import questions
from twisted_chainws.dialects.outcomes import Query


def test_questions() -> None:
    """Bytes are asked as hex, under the newest block."""
    view = Stand().view
    head = "0x" + view.chain.head.hash.hex()
    assert questions.ask(view, questions.STORAGE, contract=b"\1\2", key=b"") == Query(
        method="ontology_storage", params={"contract": "0x0102", "key": "0x", "at": head}
    )


def test_answers() -> None:
    """Quantities come in hex."""
    assert questions.read_number("0x0") == 0
    assert questions.read_number("0xde0b6b3a7640000") == 10**18
