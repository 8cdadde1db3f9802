"""The samples that can be sent without a file at hand."""

from __future__ import annotations

import re

import pytest

from relay.demo.pretended_whatsapp import Attachment, Card, Place
from relay.demo.samples import FOLDER, pdf, sample
from relay.domain.contents import MediaKind
from relay.media.audio import opus_channels, opus_seconds
from relay.media.kinds import identify

FILES = ("question", "answer", "film", "voice", "sticker", "price", "catalogue")


@pytest.mark.parametrize("name", FILES)
def test_a_sample_is_what_it_says(name: str) -> None:
    """By its own bytes, and small, but for the one that is to be too large."""
    file = sample(name)
    assert isinstance(file, Attachment)
    _, mime = identify(file.data, file.name, MediaKind(file.what))
    assert mime == file.mime.partition(";")[0]
    assert len(file.data) < (4_000_000 if name == "catalogue" else 200_000)


def test_the_voice_sample_is_one_that_whatsapp_plays() -> None:
    """Opus in OGG with one channel, and as long as it says."""
    file = sample("voice")
    assert isinstance(file, Attachment)
    assert opus_channels(file.data[:512]) == 1
    assert opus_seconds(FOLDER / "voice.ogg") == file.duration_s


def test_a_place_and_a_card() -> None:
    """They are no files."""
    assert isinstance(sample("place"), Place)
    assert isinstance(sample("card"), Card)


def test_there_is_no_other_sample() -> None:
    """An unknown name is none."""
    with pytest.raises(KeyError):
        sample("../server.py")


@pytest.mark.parametrize("padding", [0, 12_345])
def test_a_document_tells_where_its_parts_are(padding: int) -> None:
    """Each place in the table of a PDF is where that part begins; so readers need not guess."""
    data = pdf(("One", "Two"), padding)
    start = int(data.rpartition(b"startxref\n")[2].split()[0])
    assert data[start:].startswith(b"xref")
    places = [int(place) for place in re.findall(rb"(\d{10}) 00000 n", data[start:])]
    for number, place in enumerate(places, 1):
        assert data[place:].startswith(b"%d 0 obj" % number)
