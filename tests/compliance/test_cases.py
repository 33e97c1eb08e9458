import pytest

from compliance.cases import GROUPS, judge, sample, selected, table

OK = {"behavior": "OK", "behaviorClose": "OK"}
INFORMATIONAL = {"behavior": "INFORMATIONAL", "behaviorClose": "OK"}
FAILED = {"behavior": "FAILED", "behaviorClose": "OK"}
UNCLEAN = {"behavior": "OK", "behaviorClose": "UNCLEAN"}


def test_the_whole_testsuite_has_517_cases() -> None:
    """The sizes of the groups and of their sections add up."""
    assert selected("all") == ([f"{group.number}.*" for group in GROUPS], 517)
    assert all(sum(group.sections) in (0, group.size) for group in GROUPS)


def test_the_sample_names_its_compressed_cases_exactly() -> None:
    """Groups 1 to 10 are whole; three cases of each of the twelve other sections are named."""
    patterns, size = sample()
    assert (patterns, size) == selected("sample")
    assert size == 337
    assert patterns[:9] == ["1.*", "2.*", "3.*", "4.*", "5.*", "6.*", "7.*", "9.*", "10.*"]
    assert len(patterns[9:]) == 36
    assert patterns[9:12] == ["12.1.1", "12.1.5", "12.1.11"]
    assert not any("*" in pattern for pattern in patterns[9:])


def test_groups_are_selected_by_number() -> None:
    """Numbers with commas take whole groups."""
    assert selected("7,2") == (["2.*", "7.*"], 48)


@pytest.mark.parametrize("what", ["8", "1,11", "", "some", "1;2"])
def test_other_selections_are_refused(what: str) -> None:
    """A group that does not exist, and anything that is no number, is an error."""
    with pytest.raises(ValueError, match=r"only the groups|invalid literal"):
        selected(what)


def test_a_run_without_failures_has_passed() -> None:
    """Outcomes that have no right answer, or are lenient, count as passed."""
    lenient = {"behavior": "NON-STRICT", "behaviorClose": "INFORMATIONAL"}
    assert judge({"7.1.6": INFORMATIONAL, "6.4.1": lenient, "1.1.1": OK}, 3).passed


@pytest.mark.parametrize("outcome", [FAILED, UNCLEAN])
def test_a_failure_is_named(outcome: dict[str, str]) -> None:
    """A wrong behaviour and a wrong close are failures, listed in the order of the cases."""
    verdict = judge({"10.1.1": outcome, "2.2": OK, "2.10": outcome}, 3)
    assert not verdict.passed
    words = f"{outcome['behavior']} / {outcome['behaviorClose']}"
    assert verdict.failed == (f"2.10: {words}", f"10.1.1: {words}")


def test_unimplemented_is_a_failure() -> None:
    """A testee that declines compression does not pass the cases about compression."""
    declined = {"behavior": "UNIMPLEMENTED", "behaviorClose": "OK"}
    assert not judge({"12.1.1": declined}, 1).passed


def test_a_run_that_stopped_half_way_has_not_passed() -> None:
    """Cases that are missing leave no other trace than their number."""
    assert not judge({"1.1.1": OK}, 2).passed
    assert not judge({}, 1).passed


def test_the_table_counts_by_group() -> None:
    """One line for each group that was run; of the two outcomes of a case the worse is shown."""
    lines = table({"server": {"1.1.1": OK, "1.1.2": UNCLEAN, "1.2.1": OK}, "client": {"2.1": OK}})
    assert lines.splitlines() == [
        "| cases | about | server, run | server | client, run | client |",
        "| --: | :-- | --: | :-- | --: | :-- |",
        "| 1.* | framing | 3 | 2 OK, 1 UNCLEAN | 0 |  |",
        "| 2.* | ping and pong | 0 |  | 1 | 1 OK |",
        "| all |  | 3 | 2 OK, 1 UNCLEAN | 1 | 1 OK |",
    ]
