"""Broken files: the exact words each must produce."""

from __future__ import annotations

from pathlib import Path

import pytest

from relay.config.errors import ConfigErrors
from relay.config.load import load
from tests.config.writing import NOWHERE, loaded, written

BAD = Path(__file__).parent / "bad"
FILES = sorted(BAD.glob("*.yaml"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_each_mistake_has_its_words(path: Path) -> None:
    """A file with one mistake produces exactly the words that lie beside it."""
    with pytest.raises(ConfigErrors) as caught:
        load(path, NOWHERE)
    said = str(caught.value).replace(str(path), path.name)
    assert said == path.with_suffix(".txt").read_text("utf-8").removesuffix("\n")


def test_every_broken_file_has_words_and_one_mistake() -> None:
    """There are at least 45 broken files, each with one line of words."""
    words = {path.stem: path.read_text("utf-8") for path in BAD.glob("*.txt")}
    assert len(FILES) >= 45
    assert {path.stem for path in FILES} == set(words)
    assert all(text.count("\n") == 1 and text.endswith("\n") for text in words.values())


def test_all_mistakes_are_reported_at_once_in_line_order() -> None:
    """Syntax apart, no mistake hides another: all are reported, in the order of their lines."""
    text = written(
        channels="  sales: {title: 5, engine: linked_devise}\n  sales: {}\n",
        more=(
            "settings:\n  default_channel: slaes\n  phone_chek: true\n"
            "  import_sent_from_phone: true\nusers:\n  bob: {channels: [x]}\n"
        ),
        amocrm="language: de\namocrm: {account: 1, chats: {secret: 5}}\n",
    )
    with pytest.raises(ConfigErrors) as caught:
        loaded(text)
    errors = caught.value.errors
    assert [(error.line, error.path) for error in errors] == [
        (1, "language"),
        (2, "amocrm"),
        (2, "amocrm.account"),
        (2, "amocrm.chats.channel_id"),
        (2, "amocrm.chats.secret"),
        (8, "channels.sales.title"),
        (8, "channels.sales.engine"),
        (9, "channels.sales"),
        (11, "settings.default_channel"),
        (12, "settings.phone_chek"),
        (13, "settings.import_sent_from_phone"),
        (15, "users.bob"),
        (15, "users.bob.channels[0]"),
    ]
    assert str(caught.value).count("\n") == len(errors) - 1


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda path: None, "there is no such file"),
        (lambda path: path.mkdir(), "found a directory, expected a file"),
        (lambda path: path.symlink_to(path), "the file cannot be read: "),
        (
            lambda path: path.write_bytes(b"#" * (16 * 1024 * 1024 + 1)),
            "the file is too large, expected at most 16 MiB",
        ),
    ],
    ids=["missing", "directory", "link to itself", "too large"],
)
def test_a_file_that_cannot_be_read(make: object, words: str, tmp_path: Path) -> None:
    """A file that is not there, or is no readable file, is one error with the file's name."""
    assert callable(make)
    path = tmp_path / "relay.yaml"
    make(path)
    with pytest.raises(ConfigErrors) as caught:
        load(path, NOWHERE)
    assert str(caught.value).startswith(f"{path}:1:1: {words}")
    assert len(caught.value.errors) == 1


def test_a_file_without_permission(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that may not be read is told from one that is not there (root may read all files)."""

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(ConfigErrors, match="the file may not be read: permission denied"):
        load(tmp_path / "relay.yaml", NOWHERE)
