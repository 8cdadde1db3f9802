"""Raw events of the library in our words, read from real protobuf messages of the library."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.domain.contents import Text, Unsupported
from relay.domain.ids import ClientAddress, WhatsAppMessageId
from relay.domain.message import (
    Client,
    Noise,
    Origin,
    Receipt,
    Received,
    Status,
    WhatsAppEvent,
)
from relay.whatsapp.linked_device import protobufs
from relay.whatsapp.linked_device.content import word_of
from relay.whatsapp.linked_device.events import Code
from relay.whatsapp.linked_device.reading import placeholder_id, read_payload
from tests.whatsapp.linked_device.samples import (
    LID,
    NOWHERE,
    OWN,
    OWN_LID,
    OWN_PHONE,
    PHONE,
    SENT_AT_MS,
    Address,
    message,
    payload,
    read,
    receipt,
    source,
    undecryptable,
    wire,
)

FROM_CLIENT = {"chat": LID, "sender_alt": PHONE}
CLIENT = Client(ClientAddress("79161234567"), "+79161234567", "Иван")


def received(data: bytes) -> Received:
    event = read(Code.MESSAGE, data)
    assert isinstance(event, Received)
    return event


# --- Who wrote ------------------------------------------------------------------------------------


def test_a_text_from_a_client() -> None:
    """A client's text comes with his number, his name, WhatsApp's id and WhatsApp's time."""
    assert received(message(source(LID, sender_alt=PHONE), wire(conversation="Привет"))) == (
        Received(
            own=OWN,
            client=CLIENT,
            id=WhatsAppMessageId("3A01"),
            sent_at_ms=SENT_AT_MS,
            origin=Origin.CLIENT,
            content=Text("Привет"),
        )
    )


@pytest.mark.parametrize(
    ("chat", "alt", "address", "phone"),
    [
        (LID, PHONE, "79161234567", "+79161234567"),
        (PHONE, LID, "79161234567", "+79161234567"),
        (PHONE, NOWHERE, "79161234567", "+79161234567"),
        (LID, NOWHERE, "lid:100000000000003", None),
        (LID, ("100000000000009", "lid"), "lid:100000000000003", None),
        (("79161234567", "hosted"), NOWHERE, "79161234567", "+79161234567"),
        (("100000000000003", "hosted.lid"), PHONE, "79161234567", "+79161234567"),
    ],
)
def test_one_person_has_one_address(
    chat: Address, alt: Address, address: str, phone: str | None
) -> None:
    """Hidden identity or number: whoever's number is told is addressed by his number."""
    client = received(message(source(chat, sender_alt=alt))).client
    assert (client.address, client.phone) == (address, phone)


@pytest.mark.parametrize(
    ("chat", "sender", "recipient_alt"), [(LID, OWN_LID, PHONE), (PHONE, OWN_PHONE, LID)]
)
def test_what_the_owner_typed_belongs_to_the_client(
    chat: Address, sender: Address, recipient_alt: Address
) -> None:
    """What the owner typed is in the client's conversation, without the owner's name."""
    event = received(message(source(chat, sender, recipient_alt=recipient_alt, from_me=True)))
    assert event.origin is Origin.PHONE
    assert event.client == Client(CLIENT.address, CLIENT.phone, None)


def test_the_owners_number_is_never_taken_for_the_clients() -> None:
    """In what the owner sent, the number beside the sender is his own and says nothing."""
    where = source(LID, OWN_LID, sender_alt=OWN_PHONE, from_me=True)
    assert received(message(where)).client.address == "lid:100000000000003"


@pytest.mark.parametrize(
    ("chat", "group", "rule"),
    [
        (("120363000000000001", "g.us"), True, "group"),
        (LID, True, "group"),
        (("status", "broadcast"), True, "status"),
        (("1700000000", "broadcast"), True, "broadcast"),
        (("120363000000000002", "newsletter"), False, "newsletter"),
        (("718584497008509", "bot"), False, "bot"),
        (("0", "s.whatsapp.net"), False, "service"),
        (OWN_PHONE, False, "self"),
    ],
)
def test_what_is_no_conversation_with_a_client_is_noise(
    chat: Address, group: bool, rule: str
) -> None:
    """Groups, statuses, broadcasts, newsletters, bots and notes to oneself never enter amoCRM."""
    where = source(chat, PHONE, group=group)
    assert read(Code.MESSAGE, message(where)) == Noise(rule)
    assert read(Code.RECEIPT, receipt(where, 1, "3EB0")) == Noise(rule)
    assert read(Code.UNDECRYPTABLE, undecryptable(where)) == Noise(rule)


def test_an_unknown_kind_of_address_is_for_a_person_to_look_at() -> None:
    """An address of a new kind is neither dropped nor guessed at."""
    with pytest.raises(ValueError, match="'moon'"):
        read(Code.MESSAGE, message(source(("1", "moon"))))


# --- What was written -----------------------------------------------------------------------------


def says(body: bytes) -> object:
    event = read(Code.MESSAGE, message(source(**FROM_CLIENT), body))  # type: ignore[arg-type] # one shape
    return event.content if isinstance(event, Received) else event


@pytest.mark.parametrize(
    ("marks", "stood_in"),
    [({}, False), ({"retries": 1}, True), ({"requested": "3EB0"}, True)],
)
def test_a_message_that_was_asked_for_again_names_its_stand_in(
    marks: dict[str, Any], stood_in: bool
) -> None:
    """What came unreadable before has a placeholder, and makes it needless."""
    found = received(message(source(LID), **marks))
    assert found.instead_of == (placeholder_id(found.id) if stood_in else None)


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
def test_the_text_is_the_exact_text(text: str) -> None:
    """Every character arrives as it was written, in both forms that phones use."""
    assert says(wire(conversation=text)) == Text(text)
    assert says(wire(extendedTextMessage={"text": text})) == Text(text)


def test_invalid_utf8_is_repaired_not_lost() -> None:
    """Bytes that are not UTF-8 are replaced one by one; the rest of the text stays."""
    assert says(b"\x0a\x04\xff\xfeab") == Text("\ufffd\ufffdab")


@pytest.mark.parametrize(
    ("body", "content"),
    [
        (wire(pollCreationMessageV3={}), Unsupported("poll")),
        (wire(reactionMessage={"text": "👍"}), Unsupported("reaction")),
        (wire(protocolMessage={"type": 0}), Unsupported("deletion")),
        (wire(protocolMessage={"type": 14}), Unsupported("edit")),
        (wire(pollCreationMessage={}, messageContextInfo={}), Unsupported("poll")),
        (b"\xf2\xff\x01\x03abc", Unsupported("unknown")),
    ],
)
def test_what_cannot_be_carried_yet_is_named(body: bytes, content: Unsupported) -> None:
    """Whatever a person did is told as a word, also if it is newer than this program."""
    assert says(body) == content


@pytest.mark.parametrize("flag", ["IsViewOnce", "IsViewOnceV2", "IsViewOnceV2Extension"])
def test_what_came_wrapped_as_view_once_is_not_copied(flag: str) -> None:
    """The wrapper is off by then, but its flag tells."""
    event = protobufs.load().Message.FromString(
        message(source(**FROM_CLIENT), wire(imageMessage={"caption": "x"}))  # type: ignore[arg-type] # one shape
    )
    setattr(event, flag, True)
    found = received(event.SerializePartialToString())
    assert found.content == Unsupported("view_once")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        wire(conversation=""),
        wire(messageContextInfo={}),
        wire(senderKeyDistributionMessage={}),
        wire(protocolMessage={"type": 5}),
        wire(protocolMessage={}),
        wire(reactionMessage={"text": ""}),
        wire(albumMessage={}),
    ],
)
def test_what_devices_tell_each_other_is_noise(body: bytes) -> None:
    """What no person was meant to see never becomes a message."""
    assert says(body) == Noise("protocol")


def test_every_field_of_a_message_has_a_word() -> None:
    """Every kind the library knows gives a short plain word, whatever WhatsApp called it."""
    fields = protobufs.load().Message().Message.DESCRIPTOR.fields
    assert len(fields) > 80
    assert all(word_of(field.name).replace("_", "").isalnum() for field in fields)


# --- What could not be decrypted ------------------------------------------------------------------


def test_an_undecryptable_message_leaves_room_for_itself() -> None:
    """The placeholder has an id of its own, so the message is still new when it comes."""
    where = source(LID, sender_alt=PHONE)
    stand_in = read(Code.UNDECRYPTABLE, undecryptable(where, "3A77"))
    assert isinstance(stand_in, Received)
    assert stand_in.content == Unsupported("undecryptable")
    late = received(message(where, wire(conversation="late"), id_="3A77"))
    assert late.id != stand_in.id == placeholder_id(late.id)
    assert (late.client, late.sent_at_ms) == (stand_in.client, stand_in.sent_at_ms)


def test_what_asks_to_stay_hidden_stays_hidden() -> None:
    """An undecryptable message that its sender wants hidden leaves no placeholder."""
    data = undecryptable(source(LID, sender_alt=PHONE), hide=True)
    assert read(Code.UNDECRYPTABLE, data) == Noise("protocol")


# --- Receipts -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "status"), [(1, Status.DELIVERED), (4, Status.READ), (6, Status.READ)]
)
@pytest.mark.parametrize("chat", [LID, PHONE])
def test_a_receipt_tells_what_became_of_messages(kind: int, status: Status, chat: Address) -> None:
    """Delivered, read, played; by hidden identity or by number; for several messages at once."""
    expected = Receipt(OWN, (WhatsAppMessageId("A"), WhatsAppMessageId("B")), status, SENT_AT_MS)
    assert read(Code.RECEIPT, receipt(source(chat), kind, "A", "B")) == expected


@pytest.mark.parametrize("kind", [2, 3, 5, 7, 8, 9, 10, 11])
def test_other_receipts_are_noise(kind: int) -> None:
    """Receipts about our own devices or about the protocol tell nothing of a client."""
    assert read(Code.RECEIPT, receipt(source(LID), kind, "A")) == Noise("receipt")


def test_receipts_of_our_own_devices_are_noise() -> None:
    """That the owner's phone has seen a message does not mean that the client has."""
    where = source(LID, OWN_LID, from_me=True)
    assert read(Code.RECEIPT, receipt(where, 1, "A")) == Noise("own_receipt")


# --- Anything at all ------------------------------------------------------------------------------

GOOD = (
    message(source(LID, sender_alt=PHONE), wire(conversation="hello")),
    receipt(source(LID), 4, "A", "B"),
    undecryptable(source(PHONE)),
)


@given(st.sampled_from([17, 18, 44, 3, 999]), st.binary())
def test_any_bytes_are_read_or_refused(code: int, data: bytes) -> None:
    """Nothing but ``ValueError`` ever comes out of reading, and reading twice says the same."""
    check(b"linked_device/1 %d 74950000001\n%s" % (code, data))
    check(data)


@given(st.sampled_from(GOOD), st.data())
def test_damaged_events_are_read_or_refused(good: bytes, data: st.DataObject) -> None:
    """The same for real events with some bytes changed or cut off."""
    at = data.draw(st.integers(0, len(good)))
    piece = data.draw(st.binary(max_size=4))
    for code in (Code.MESSAGE, Code.RECEIPT, Code.UNDECRYPTABLE):
        check(payload(code, good[:at] + piece + good[at + len(piece) :]))
        check(payload(code, good[:at]))


def check(raw: bytes) -> None:
    try:
        first = read_payload(raw)
    except ValueError:
        return
    assert first == read_payload(raw)
    for event in first:
        assert isinstance(event, WhatsAppEvent)
        repr(event).encode("utf-8")
