"""Stanzas survive the wire, and what is no stanza is refused."""

from __future__ import annotations

import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.whatsapp_server.addresses import Jid
from tests.whatsapp_server.library import library_path, tokens
from tests.whatsapp_server.node import CodecError, Node, decode, encode, leaf, node

_WORDS = st.text(min_size=1, max_size=20)
_JIDS = st.builds(
    Jid,
    user=st.text("0123456789", min_size=1, max_size=15),
    server=st.sampled_from(["s.whatsapp.net", "lid", "hosted", "hosted.lid"]),
    device=st.integers(0, 255),
) | st.builds(Jid, user=st.text("0123456789-", max_size=15), server=st.just("g.us"))
_ATTRIBUTES = st.dictionaries(_WORDS, st.text(max_size=300) | _JIDS, max_size=5)
_LEAVES = st.builds(Node, _WORDS, _ATTRIBUTES, st.none() | st.binary(max_size=500))
_NODES = st.recursive(
    _LEAVES,
    lambda inner: st.builds(
        Node, _WORDS, _ATTRIBUTES, st.lists(inner, min_size=1, max_size=4).map(tuple)
    ),
    max_leaves=12,
)


@settings(deadline=None)
@given(_NODES)
def test_any_stanza_survives_the_wire(stanza: Node) -> None:
    """Reading what was written gives the same stanza."""
    assert decode(encode(stanza)) == stanza


@settings(deadline=None)
@given(_NODES)
def test_a_compressed_frame_reads_the_same(stanza: Node) -> None:
    """A frame whose flag says zlib is inflated first."""
    frame = encode(stanza)
    assert decode(b"\x02" + zlib.compress(frame[1:])) == stanza


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_garbage_is_a_codec_error(frame: bytes) -> None:
    """Whatever arrives, the reader gives a stanza or a ``CodecError``, nothing else."""
    try:
        decode(frame)
    except CodecError:
        return


@pytest.mark.parametrize(
    "frame",
    [b"", b"\0", b"\0\0", bytes([0, 248, 1, 240]), bytes([0, *[248, 2, 252, 0, 248, 1] * 5000])],
)
def test_known_traps_are_codec_errors(frame: bytes) -> None:
    """Nothing, an empty list, an unknown marker, and nesting without end are refused."""
    with pytest.raises(CodecError):
        decode(frame)


def test_an_unknown_domain_of_an_address_is_refused() -> None:
    """A device address names one of four known domains."""
    with pytest.raises(CodecError):
        decode(bytes([0, 248, 3, 252, 1, 120, 252, 1, 106, 247, 77, 1, 255, 1, 0x12]))


@pytest.mark.parametrize("size", [0, 255, 256, 1 << 20, (1 << 20) + 7])
def test_bytes_of_any_length_survive(size: int) -> None:
    """The three sizes of length prefixes carry their bytes."""
    assert decode(encode(leaf("x", b"a" * size))).data == b"a" * size


def test_a_list_of_many_children_survives() -> None:
    """More than 255 children take the longer list header, as 812 prekeys do."""
    many = node("list", *(node("key", id=str(n)) for n in range(812)))
    assert decode(encode(many)) == many


def test_dictionary_words_are_read() -> None:
    """Bytes below 236 are words of the dictionary; 236 to 239 open its second pages."""
    single, double = tokens().single, tokens().double
    frame = bytes([0, 248, 3, single.index("iq"), single.index("type"), single.index("get")])
    assert decode(frame) == node("iq", type="get")
    frame = bytes([0, 248, 1, 237, 0])
    assert decode(frame) == Node(double[1][0])


@pytest.mark.parametrize(
    ("packed", "text"),
    [
        (bytes([255, 2, 0x12, 0x34]), "1234"),
        (bytes([255, 0x82, 0x12, 0x3F]), "123"),
        (bytes([255, 3, 0x1A, 0x2B, 0x90]), "1-2.90"),
        (bytes([251, 2, 0x0A, 0xF9]), "0AF9"),
    ],
)
def test_packed_strings_are_read(packed: bytes, text: str) -> None:
    """Two digits share a byte; the top bit of the length says that the last half is empty."""
    assert decode(bytes([0, 248, 2, 252, 1, 120]) + packed).data == text.encode()


def test_every_kind_of_address_is_read() -> None:
    """Pairs, devices, and the addresses of other services come out as addresses."""

    def with_address(*address: int) -> Jid:
        frame = bytes([0, 248, 3, 252, 1, ord("x"), 252, 1, ord("j"), *address])
        return decode(frame).jid("j")

    digits = (255, 1, 0x12)
    server = (252, 3, *b"lid")
    assert with_address(250, *digits, *server) == Jid("12", "lid")
    assert with_address(250, 0, *server) == Jid("", "lid")
    assert with_address(247, 1, 5, *digits) == Jid("12", "lid", 5)
    assert with_address(247, 0, 5, *digits) == Jid("12", "s.whatsapp.net", 5)
    assert with_address(246, *digits, 0, 7, *server) == Jid("12", "lid", 7)
    assert with_address(245, *digits, 0, 7, 0, 1, *server) == Jid("12", "lid", 7)


def test_an_address_reads_back_from_its_text() -> None:
    """The text of an address names user, device and server."""
    for text in ("79991234567@s.whatsapp.net", "123:4@lid", "1-2@g.us"):
        assert str(Jid.parse(text)) == text


def test_the_dictionary_is_that_of_the_installed_library() -> None:
    """The tables have the protocol's sizes, and the words that every stanza needs."""
    single, double = tokens().single, tokens().double
    assert (len(single), [len(table) for table in double]) == (236, [256] * 4)
    assert single[1:5] == ("xmlstreamstart", "xmlstreamend", "s.whatsapp.net", "type")
    assert {"message", "receipt", "iq", "ack", "id"} <= set(single)
    assert library_path().name.startswith("neonize-")
