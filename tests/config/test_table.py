import pytest

from twisted_chainws.config.table import (
    BY_NAME,
    LIMITS,
    SETTINGS,
    ConfigurationError,
    Setting,
    decode_text,
    decode_value,
)


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("chain-id", "0x7a69", 31337),
        ("chain-id", "1", 1),
        ("block-time", "0.25", 0.25),
        ("block-time", "12", 12.0),
        ("mnemonic", "a b c", "a b c"),
        ("profile", "geth", "geth"),
        ("accounts", "0", 0),
    ],
)
def test_an_option_is_decoded_from_its_text(name: str, text: str, value: object) -> None:
    """A command line text becomes the value that its row describes."""
    assert decode_text(BY_NAME[name], f"--{name}", text) == value


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("chain-id", "one", "--chain-id: expected a whole number of at least 1, got 'one'"),
        ("chain-id", "0", "--chain-id: expected a whole number of at least 1, got 0"),
        ("block-time", "0", "--block-time: expected a number above 0, got 0.0"),
        ("block-time", "nan", "--block-time: expected a number above 0, got nan"),
        ("block-time", "inf", "--block-time: expected a number above 0, got inf"),
        ("mnemonic", "", "--mnemonic: expected a text"),
        ("key", "", "--key: expected a text"),
        (
            "profile",
            "parity",
            "--profile: expected one of superset, geth, anvil, alchemy, tokenview, got 'parity'",
        ),
    ],
)
def test_a_bad_option_is_told_in_one_line(name: str, text: str, message: str) -> None:
    """The error names the option, what was expected and what was found."""
    with pytest.raises(ConfigurationError) as caught:
        decode_text(BY_NAME[name], f"--{name}", text)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("chain-id", "1"),
        ("chain-id", 1.5),
        ("chain-id", True),
        ("block-time", "12"),
        ("no-mining", 1),
        ("no-mining", "yes"),
        ("mnemonic", 12),
        ("profile", ["geth"]),
    ],
)
def test_a_value_of_the_wrong_type_is_refused(name: str, value: object) -> None:
    """TOML types are not converted: a text is no number and a number is no flag."""
    with pytest.raises(ConfigurationError, match=f"^x: expected {BY_NAME[name].expected}"):
        decode_value(BY_NAME[name], "x", value)


def test_secrets_are_not_repeated_in_errors() -> None:
    """What was written for a key or a mnemonic stays out of the message."""
    secrets = {setting.name for setting in SETTINGS if setting.secret}
    assert secrets == {"key", "inactive-key", "exhausted-key", "mnemonic"}
    for name in secrets:
        with pytest.raises(ConfigurationError) as caught:
            decode_value(BY_NAME[name], name, 31337_4242)
        assert "4242" not in str(caught.value)


def test_rows_are_distinct_and_explained() -> None:
    """No name stands twice, and each option has a help line and a default."""
    assert len(BY_NAME) == len(SETTINGS)
    assert all(setting.help and setting.default for setting in SETTINGS)


UNBOUNDED = {"concurrent-requests", "connections", "idle-s", "compute-units-per-s"}


@pytest.mark.parametrize("setting", LIMITS.values(), ids=LIMITS)
def test_a_limit_has_a_default_and_a_smallest_value(setting: Setting) -> None:
    """Each bound accepts its default, and refuses less than one where 0 does not mean no bound."""
    default = decode_text(setting, "x", setting.default.replace(",", ""))
    assert decode_value(setting, "x", default) == default
    wrong: tuple[object, ...] = (-1, "many")
    if setting.name in UNBOUNDED:
        assert default == 0
    else:
        wrong += (0,)
    for value in wrong:
        with pytest.raises(ConfigurationError):
            decode_value(setting, "x", value)
