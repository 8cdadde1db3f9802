"""Secrets: where they come from, and that they never show."""

from __future__ import annotations

import copy
import json
import logging
import pickle
import traceback
from pathlib import Path

import pytest

from relay.config.channel import CloudApi
from relay.config.errors import ConfigErrors
from relay.config.keys import SECRETS
from relay.config.parts import read_part
from relay.config.secret import Secret, SecretMissingError, SecretSource, SecretUnfitError
from tests.config.writing import AMOCRM, SALES, SUPPORT, config, loaded, written

HIDDEN = "s3cr3t-value"


def test_a_secret_prints_nowhere(caplog: pytest.LogCaptureFixture) -> None:
    """No way of printing, formatting, logging or serialising a secret shows it."""
    secret = Secret(HIDDEN)
    logging.getLogger("test").warning("%s %r", secret, [secret])
    shown = [repr(secret), str(secret), f"{secret}", f"{secret!r:>20}", "%s" % secret]  # noqa: UP031
    shown += [caplog.text, json.dumps({"a": secret}, default=str)]
    assert all(HIDDEN not in text and "***" in text for text in shown)
    assert secret.reveal() == HIDDEN


def test_a_secret_is_not_pickled() -> None:
    """A secret cannot be written away by pickling it, and copying it copies nothing."""
    secret = Secret(HIDDEN)
    with pytest.raises(TypeError, match="not written anywhere"):
        pickle.dumps(secret)
    assert copy.deepcopy(secret) is secret
    assert copy.copy(secret) is secret


def test_a_traceback_with_locals_shows_no_secret() -> None:
    """A traceback that prints local variables prints stars for a secret."""

    def fail(secret: Secret) -> None:
        raise RuntimeError(secret)

    try:
        fail(Secret(HIDDEN))
    except RuntimeError as error:
        text = traceback.TracebackException.from_exception(error, capture_locals=True)
        assert HIDDEN not in "".join(text.format())


def test_secrets_are_compared_by_value() -> None:
    """A rotated secret differs from the old one, an equal one does not; text is no secret."""
    assert Secret("a") == Secret("a")
    assert Secret("a") != Secret("b")
    assert Secret(None) != Secret("")
    assert Secret("a") != "a"
    assert len({Secret("a"), Secret("a"), Secret("b")}) == 2


def test_a_secret_that_is_not_there_cannot_be_revealed() -> None:
    """What ``relay check`` let pass is not mistaken for an empty secret."""
    assert not Secret(None).is_there
    with pytest.raises(LookupError):
        Secret(None).reveal()


@pytest.mark.parametrize("ending", ["", "\n", "\r\n"])
def test_a_credential_file_comes_first(ending: str, tmp_path: Path) -> None:
    """The file in $CREDENTIALS_DIRECTORY wins over the environment, without its last line end."""
    (tmp_path / "support-token").write_bytes(b" from file\n" + b"more" + ending.encode())
    environment = {"CREDENTIALS_DIRECTORY": str(tmp_path), "RELAY_SUPPORT_TOKEN": "from env"}
    source = SecretSource.of(environment)
    assert source.read("support-token").reveal() == " from file\nmore"
    (tmp_path / "support-token").unlink()
    assert source.read("support-token").reveal() == "from env"


def test_only_one_line_end_is_taken_off(tmp_path: Path) -> None:
    """A credential that ends in an empty line keeps it."""
    (tmp_path / "a").write_text("x\n\n")
    assert SecretSource(tmp_path, {}).read("a").reveal() == "x\n"


def test_a_secret_that_is_nowhere_says_where_it_was_sought(tmp_path: Path) -> None:
    """The error names the file and the variable an administrator has to provide."""
    with pytest.raises(SecretMissingError, match=r"no file a-b in .* and no RELAY_A_B in"):
        SecretSource(tmp_path, {}).read("a-b")


@pytest.mark.parametrize("name", ["", "../x", "/etc/passwd", ".hidden", "a b", "ж", "x" * 65])
def test_names_that_cannot_be_names(name: str, tmp_path: Path) -> None:
    """A name cannot lead out of the directory, and is not repeated: it may be the secret itself."""
    with pytest.raises(SecretUnfitError) as caught:
        SecretSource(tmp_path, {}).read(name)
    assert not name or name not in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"\n", b"\xff\xfe", b"x" * (64 * 1024 + 1)])
def test_credentials_that_cannot_be_used(content: bytes, tmp_path: Path) -> None:
    """An empty, binary or huge credential is an error, never an empty secret."""
    (tmp_path / "a").write_bytes(content)
    with pytest.raises(SecretUnfitError):
        SecretSource(tmp_path, {"RELAY_A": "x"}).read("a")


def test_a_credential_that_is_a_directory(tmp_path: Path) -> None:
    """What cannot be read is said with its reason, and not taken from elsewhere."""
    (tmp_path / "a").mkdir()
    with pytest.raises(SecretUnfitError, match="Is a directory"):
        SecretSource(tmp_path, {"RELAY_A": "x"}).read("a")


def test_missing_is_an_error_to_run_and_a_warning_to_check() -> None:
    """The same file is refused for running and accepted, with a warning, for checking."""
    text = written().replace('"a-chats-secret"', "!secret chats")
    with pytest.raises(ConfigErrors) as caught:
        loaded(text, SecretSource.of({}))
    checked = loaded(text, SecretSource.of({}, required=False))
    assert [str(warning) for warning in checked.warnings] == str(caught.value).splitlines()
    assert not checked.config.amocrm.chats.secret.is_there
    ran = loaded(text, SecretSource.of({"RELAY_CHATS": HIDDEN}))
    assert ran.config.amocrm.chats.secret.reveal() == HIDDEN
    assert ran.warnings == ()


def test_a_configuration_prints_no_secret() -> None:
    """No text of a configuration holds a secret, wherever it is kept."""
    proxy = SALES.replace("}", f', proxy: "socks5://u:{HIDDEN}@h:1"}}')
    made = config(proxy + SUPPORT.replace("a-support-token", HIDDEN))
    for text in (repr(made), str(made), str(vars(made))):
        assert HIDDEN not in text
        assert "a-chats-secret" not in text


def _misplaced(key: str, value: str) -> str:
    """A file whose secret at a key is written as it should not be."""
    channels = SALES.replace("}", ", proxy: p}") + SUPPORT
    text = written(channels, amocrm=AMOCRM + "  integration: {id: x, secret: is}\n")
    places = {
        "amocrm.token": '"a-long-lived-token"',
        "amocrm.chats.secret": '"a-chats-secret"',
        "amocrm.integration.secret": "is}",
        "channels.*.token": '"a-support-token"',
        "channels.*.app_secret": '"a-support-app-secret"',
        "channels.*.verify_token": '"a-support-verify-token"',
        "channels.*.proxy": "p}",
    }
    old = places[key]
    return text.replace(old, value + ("}" if old.endswith("}") else ""))


WRONG = [
    "{S: 1, S: 2}",
    "[S]",
    "{S: {S: [S]}}",
    "!S x",
    "!S",
    "*S",
    "&S",
    '"S\\u0007"',
    "!secret {S: 1}",
    "!secret [S]",
    "!secret S S",
    "!secret /S",
    "!!int S",
    "ftp://S@x",
    "@S",
    "'S",
    "[S",
    "{S: *S}",
    "? S",
    "S: S",
    '"\\qS"',
    "20240501",
    "+20240501",
    "2024-05-01",
    "",
]


@pytest.mark.parametrize("value", WRONG)
@pytest.mark.parametrize("key", sorted(".".join(path) for path in SECRETS if "oauth" not in path))
def test_a_secret_in_the_wrong_form_is_not_repeated(key: str, value: str) -> None:
    """However wrongly a secret is written, no error says what was found."""
    text = _misplaced(key, value.replace("S", HIDDEN))
    with pytest.raises(ConfigErrors) as caught:
        loaded(text)
    said = str(caught.value) + repr(caught.value) + repr(caught.value.errors)
    assert HIDDEN not in said
    assert "20240501" not in said
    assert "2024-05-01" not in said


def test_a_secret_pasted_elsewhere_is_not_repeated() -> None:
    """A value that is known to be a secret is starred in every message it would appear in."""
    text = written(more=f"settings: {{default_channel: {HIDDEN}}}\n{HIDDEN}: 1\n")
    with pytest.raises(ConfigErrors) as caught:
        loaded(text.replace("a-chats-secret", HIDDEN))
    assert len(caught.value.errors) == 2
    assert HIDDEN not in str(caught.value)


def test_a_part_read_by_itself_hides_its_secret_too() -> None:
    """What is wrong with it does not hold what was given."""
    made, faults = read_part(CloudApi, {"engine": "cloud_api", "title": "x", "token": [HIDDEN]})
    assert made is None
    assert faults
    assert HIDDEN not in repr(faults)
