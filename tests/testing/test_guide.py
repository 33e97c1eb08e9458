"""The examples of ``docs/testing.md`` run as they are printed."""

import re
from pathlib import Path

import pytest

GUIDE = Path(__file__).parents[2] / "docs" / "testing.md"
EXAMPLES = re.findall(r"^```python\n(.*?)^```$", GUIDE.read_text("utf-8"), re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("example", EXAMPLES, ids=range(len(EXAMPLES)))
def test_example_runs(example: str) -> None:
    """Every example asserts what it shows."""
    assert "assert" in example
    exec(compile(example, str(GUIDE), "exec"), {})  # noqa: S102 - our own documentation
