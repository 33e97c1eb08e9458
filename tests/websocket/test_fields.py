from typing import Any

import pytest

from twisted_chainws.websocket.codes import ParameterError
from twisted_chainws.websocket.fields import camel, from_mapping, refuse
from twisted_chainws.websocket.values import HttpProxy


@pytest.mark.parametrize(
    ("name", "reference"),
    [
        ("ca_path", "caPath"),
        ("skip_server_cert_verification", "skipServerCertVerification"),
        ("server_ip", "serverIP"),
        ("header", "header"),
    ],
)
def test_camel(name: str, reference: str) -> None:
    """Names become those of the reference."""
    assert camel(name) == reference


def test_both_spellings() -> None:
    """Fields are given by either name."""
    wanted = HttpProxy("proxy", 8080, ("a",))
    convert = {"exclusion_list": tuple}
    for name in ("exclusionList", "exclusion_list"):
        given = {"host": "proxy", "port": 8080, name: ["a"]}
        assert from_mapping(HttpProxy, given, convert) == wanted


@pytest.mark.parametrize(
    "given",
    [
        None,
        [],
        {"host": "proxy"},
        {"host": "proxy", "port": 1, "hots": 2},
        {"host": "proxy", "port": 1, "exclusionList": [], "exclusion_list": []},
        {"host": "proxy", "port": 1, 5: 5},
    ],
)
def test_wrong_mappings(given: Any) -> None:
    """No mapping, a missing field, an unknown one or one given twice is a parameter error."""
    with pytest.raises(ParameterError):
        from_mapping(HttpProxy, given)


def test_refuse_is_a_parameter_error() -> None:
    """The error for a wrong argument is 401 with a detail."""
    error = refuse("port: too high")
    assert (error.code, error.message, error.data) == (401, "Parameter error.", "port: too high")
