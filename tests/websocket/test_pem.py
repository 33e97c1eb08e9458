import os
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.websocket.certificates import authority, leaf, write
from twisted_chainws.websocket.codes import ErrorCode, WebSocketError
from twisted_chainws.websocket.pem import Identity, PemFile

ROOT = authority("root")
LEAF = leaf(authority("middle", ROOT))


def test_blocks_are_found_among_other_text(tmp_path: Path) -> None:
    """Certificates keep their order; words, keys and parameters around them do not matter."""
    path = write(
        tmp_path,
        "all.pem",
        b"Bag Attributes: caf\xe9\n",
        b"-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n",
        LEAF.key_pem(traditional=True),
        LEAF.pem.replace(b"\n", b"\r\n"),
        b"words\n",
        ROOT.pem.replace(b" CERTIFICATE", b" X509 CERTIFICATE"),
    )
    found = PemFile.of_certificates(path).certificates()
    assert found == [LEAF.certificate, ROOT.certificate]
    roots = PemFile.of_certificates(path).roots()
    assert [root.serialNumber() for root in roots] == [one.serial_number for one in found]
    assert _spki(PemFile.of_key(path).key("")) == _spki(LEAF.key)


def _spki(key: object) -> bytes:
    public = key.public_key()  # type: ignore[attr-defined]
    spki: bytes = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return spki


@pytest.mark.parametrize("traditional", [False, True])
@pytest.mark.parametrize("password", ["", "sesame"])
def test_keys_of_both_forms_are_read(tmp_path: Path, traditional: bool, password: str) -> None:
    """A password opens an encrypted key, and is ignored for one that has none."""
    path = write(tmp_path, "key.pem", LEAF.key_pem(password, traditional=traditional))
    assert _spki(PemFile.of_key(path).key("sesame")) == _spki(LEAF.key)


def test_the_first_key_counts(tmp_path: Path) -> None:
    """A second key in the file is ignored."""
    path = write(tmp_path, "key.pem", LEAF.key_pem(), ROOT.key_pem())
    assert _spki(PemFile.of_key(path).key("")) == _spki(LEAF.key)


def test_a_file_of_the_wrong_kind_has_no_block(tmp_path: Path) -> None:
    """A key is no certificate, a certificate no key."""
    for read, content in (
        (PemFile.of_certificates, LEAF.key_pem()),
        (PemFile.of_key, LEAF.pem),
    ):
        with pytest.raises(WebSocketError, match="no PEM block") as caught:
            read(write(tmp_path, "file.pem", content))
        assert caught.value.code is ErrorCode.CERT_NOT_FOUND


@pytest.mark.parametrize("path", ["", "no\0name", "/dev/zero", "relative/nothing.pem"])
def test_what_is_no_file_is_missing(path: str) -> None:
    """Devices, impossible names and nothing at all are a missing file."""
    with pytest.raises(WebSocketError) as caught:
        PemFile.of_key(path)
    assert caught.value.code is ErrorCode.CERT_NOT_FOUND


def test_a_pipe_is_no_file(tmp_path: Path) -> None:
    """A pipe, which nobody might ever write to, does not hold up the program."""
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(WebSocketError) as caught:
        PemFile.of_certificates(str(tmp_path / "pipe"))
    assert caught.value.code is ErrorCode.CERT_NOT_FOUND


def test_an_identity_is_leaf_chain_and_key(tmp_path: Path) -> None:
    """The first certificate is ours, the others are the chain; nothing of it is shown."""
    certificates = PemFile.of_certificates(write(tmp_path, "cert.pem", LEAF.chain))
    key = PemFile.of_key(write(tmp_path, "key.pem", LEAF.key_pem()))
    identity = Identity.load(certificates, key)
    assert identity.options["certificate"] == LEAF.certificate
    assert len(identity.options["extraCertChain"]) == 1
    assert repr(identity) == "Identity()"


def test_an_error_names_the_file_and_the_reason(tmp_path: Path) -> None:
    """OpenSSL's lists of reasons become words."""
    certificates = PemFile.of_certificates(write(tmp_path, "cert.pem", LEAF.pem))
    key = PemFile.of_key(write(tmp_path, "key.pem", ROOT.key_pem()))
    with pytest.raises(WebSocketError) as caught:
        Identity.load(certificates, key)
    assert caught.value.code is ErrorCode.INTERNAL_ERROR
    assert caught.value.data == f"{tmp_path / 'cert.pem'}: key values mismatch"
