"""What WhatsApp hands over at linking, taken apart."""

from __future__ import annotations

import pytest

from relay.domain.contents import VIEW_ONCE, Media, Text, Unsupported
from relay.domain.message import Alias, Origin, Received
from relay.whatsapp.linked_device.past import PAST, PAST_NEWS, Past, named, read_chunk
from relay.whatsapp.linked_device.payload import RawEvent, wrap
from relay.whatsapp.linked_device.reading import read_payload
from tests.whatsapp.linked_device import samples
from tests.whatsapp.linked_device.past_samples import (
    FULL,
    HIDDEN,
    NUMBER,
    PUSH_NAMES,
    RECENT,
    Chat,
    Said,
    chunk,
)


def read(past: Past, code: int = PAST) -> Received:
    *_, event = read_payload(wrap(RawEvent(code, samples.OWN, past.data)))
    assert isinstance(event, Received)
    return event


def the_only(data: bytes) -> Past:
    [past] = read_chunk(data, 0).messages
    return past


@pytest.mark.parametrize(
    ("jid", "fields", "mappings"),
    [
        (f"{HIDDEN}@lid", {"pnJID": f"{NUMBER}@s.whatsapp.net"}, ()),
        (f"{HIDDEN}@lid", {}, ((f"{NUMBER}@s.whatsapp.net", f"{HIDDEN}@lid"),)),
        (f"{NUMBER}@s.whatsapp.net", {"lidJID": f"{HIDDEN}@lid"}, ()),
        (f"{NUMBER}@s.whatsapp.net", {}, ()),
    ],
)
def test_a_message_of_the_past_says_what_it_said(
    jid: str, fields: dict[str, str], mappings: tuple[tuple[str, str], ...]
) -> None:
    """Its client by his number, however the chat is addressed; its words, its time, its id."""
    past = the_only(
        chunk(Chat([Said("3A01", 1_700_000_000, "да")], jid, fields), mappings=mappings)
    )
    said = read(past)
    assert past.person == NUMBER
    assert said.client.phone == f"+{NUMBER}"
    assert (said.content, said.id, said.sent_at_ms) == (Text("да"), "3A01", 1_700_000_000_000)
    assert (said.origin, past.from_client) == (Origin.CLIENT, True)


def test_whose_number_a_hidden_address_is_goes_along() -> None:
    """So that the chat is one with what the client writes later."""
    past = the_only(chunk(Chat([Said("3A01", 1)])))
    alias, _ = read_payload(wrap(RawEvent(PAST, samples.OWN, past.data)))
    assert isinstance(alias, Alias)


def test_only_a_clients_newest_is_news() -> None:
    """The rest notifies nobody."""
    past = the_only(chunk(Chat([Said("3A01", 1)])))
    assert read(past).silent
    assert not read(past, PAST_NEWS).silent


def test_what_the_owner_wrote_is_from_the_phone() -> None:
    """Its client is still the other side."""
    said = read(the_only(chunk(Chat([Said("3A01", 1, own=True)]))))
    assert (said.origin, said.client.phone, said.client.name) == (
        Origin.PHONE,
        f"+{NUMBER}",
        None,
    )


def test_the_name_is_that_of_the_address_book_else_the_clients_own() -> None:
    """A chat has the first; the second comes apart from it."""
    fields = {"pnJID": f"{NUMBER}@s.whatsapp.net", "name": "Анна Сервис"}
    past = the_only(chunk(Chat([Said("3A01", 1)], fields=fields)))
    assert read(past).client.name == "Анна Сервис"
    assert named(past.data, "Аня") == past.data
    nameless = the_only(chunk(Chat([Said("3A01", 1)])))
    told = Past("", "", "3A01", 1, True, named(nameless.data, "Аня"))
    assert read(told).client.name == "Аня"


def test_wrappers_come_off_and_view_once_stays_unseen() -> None:
    """As with what is heard live."""
    picture = {"URL": "https://mmg.whatsapp.net/f", "directPath": "/f", "mediaKey": b"k" * 32}
    inner = samples.content(imageMessage=picture)
    wrapped = samples.content()
    wrapped.ephemeralMessage.message.CopyFrom(inner)
    once = samples.content()
    once.viewOnceMessageV2.message.CopyFrom(inner)
    data = chunk(
        Chat(
            [
                Said("3A02", 2, wire=once.SerializePartialToString()),
                Said("3A01", 1, wire=wrapped.SerializePartialToString()),
            ]
        )
    )
    second, first = read_chunk(data, 0).messages
    assert isinstance(read(first).content, Media)
    assert read(second).content == Unsupported(VIEW_ONCE)


def test_what_is_too_old_or_no_persons_chat_stays_out() -> None:
    """Groups, statuses and channels never enter; nor does what is older than wanted."""
    old = Chat([Said("3A02", 200), Said("3A01", 99)])
    others = [Chat([Said("3A09", 200)], jid, {}) for jid in ("1-2@g.us", "status@broadcast", "x")]
    assert [past.id for past in read_chunk(chunk(old, *others), 100_000).messages] == ["3A02"]


@pytest.mark.parametrize(
    ("kind", "progress", "last"),
    [(RECENT, 100, True), (FULL, 100, True), (RECENT, 99, False), (PUSH_NAMES, 100, False)],
)
def test_whatsapp_says_when_it_has_handed_all_over(kind: int, progress: int, last: bool) -> None:
    """Only a chunk of chats can be the last."""
    assert read_chunk(chunk(kind=kind, progress=progress), 0).last is last


def test_names_come_by_either_address() -> None:
    """Empty ones say nothing."""
    names = ((f"{HIDDEN}@lid", "Анна"), (f"{NUMBER}@s.whatsapp.net", ""))
    assert dict(read_chunk(chunk(kind=PUSH_NAMES, names=names), 0).names) == {HIDDEN: "Анна"}


def test_what_is_no_history_is_refused() -> None:
    """Not taken for an empty one."""
    with pytest.raises(ValueError, match="HistorySync"):
        read_chunk(b"\xff", 0)
