"""The method that registers ABIs."""

from typing import Any

import pytest

from twisted_chainws.dialects.catalog import make_dialects
from twisted_chainws.dialects.ethereum.names import register_abi
from twisted_chainws.dialects.outcomes import Forward, Query, Refused
from twisted_chainws.dialects.view import Profile

VIEW: Any = None
ADDRESS = "0x" + "Ab" * 20


@pytest.mark.parametrize("abi", [[], [{"type": "event"}], {"abi": []}, "[]"])
def test_an_abi_goes_to_the_source(abi: Any) -> None:
    """The source gets address and ABI as they are; the answer is true."""
    forward = register_abi(VIEW, [ADDRESS, abi])
    assert isinstance(forward, Forward)
    params = {"address": ADDRESS.lower(), "abi": abi}
    assert forward.call == Query(method="register_abi", params=params)
    assert forward.then(None) is True


@pytest.mark.parametrize("params", [[], [ADDRESS], [ADDRESS, 5], ["0x12", []], [ADDRESS, [], 1]])
def test_arguments(params: Any) -> None:
    """Both arguments are needed, and of the right kind."""
    with pytest.raises(Refused) as refused:
        register_abi(VIEW, params)
    assert refused.value.fault.code == -32602


@pytest.mark.parametrize("profile", Profile)
def test_every_listener_knows_it(profile: Profile) -> None:
    """The method is there whatever the profile, over both faces."""
    dialect = make_dialects(profile)[0]
    assert dialect.http is not None
    for table in (dialect.methods, dialect.http.methods):
        assert "chainws_registerAbi" in table
