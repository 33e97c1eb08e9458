from twisted_chainws.dialects.zilliqa import DEFAULTS
from twisted_chainws.dialects.zilliqa.encode import HashPlaces
from twisted_chainws.dialects.zilliqa.options import AddressForm, ErrorForm


def test_words() -> None:
    """The words of the options, the default one first."""
    assert [list(each) for each in (ErrorForm, AddressForm, HashPlaces)] == [
        ["json", "bare"], ["bare", "0x"], ["both", "inside", "beside"],
    ]  # fmt: skip
    assert (DEFAULTS.errors, DEFAULTS.event_address, DEFAULTS.tx_hashes) == ("json", "bare", "both")
