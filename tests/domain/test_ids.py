"""Our ids of conversations and messages."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from relay.domain.ids import (
    ClientAddress,
    OwnNumber,
    WhatsAppMessageId,
    conversation_id,
    message_id,
    parse_conversation_id,
    parse_source_id,
    source_id,
)

numbers = st.text("0123456789", min_size=5, max_size=15)
addresses = numbers | numbers.map(lambda n: f"lid:{n}") | st.just("bsuid:GB.5531-a")


@given(numbers, addresses)
def test_a_conversation_id_tells_its_two_parts_again(own: str, client: str) -> None:
    """Whatever the ledger lost, an id alone tells whose conversation it is."""
    id_ = conversation_id(OwnNumber(own), ClientAddress(client))
    assert parse_conversation_id(id_) == (own, client)


@given(st.text())
def test_parsing_a_foreign_id_is_none_and_never_an_error(text: str) -> None:
    """An id that somebody else made is not ours, whatever it looks like."""
    parts = parse_conversation_id(text)
    assert parts is None or conversation_id(*parts) == text


@given(numbers, st.text(min_size=1, max_size=300))
def test_a_message_id_is_short_printable_ascii(own: str, whatsapp_id: str) -> None:
    """amoCRM takes strings of unknown length limit: ours stay ASCII and within 100."""
    id_ = message_id(OwnNumber(own), WhatsAppMessageId(whatsapp_id))
    assert id_.isascii()
    assert id_.isprintable()
    assert len(id_) <= 100


@given(numbers, st.text(min_size=1, max_size=200), st.text(min_size=1, max_size=200))
def test_two_messages_have_two_ids(own: str, one: str, other: str) -> None:
    """Ids are equal exactly when the messages are."""
    first = message_id(OwnNumber(own), WhatsAppMessageId(one))
    second = message_id(OwnNumber(own), WhatsAppMessageId(other))
    assert (first == second) == (one == other)


def test_the_form_of_ids_is_fixed() -> None:
    """Ids outlive the process: their form may never change by accident."""
    own = OwnNumber("74950000001")
    assert conversation_id(own, ClientAddress("79991234567")) == "wa-74950000001-79991234567"
    assert message_id(own, WhatsAppMessageId("3EB0C0FFEE")) == "wa-74950000001-3EB0C0FFEE"


@given(numbers)
def test_a_source_id_tells_its_number_and_fits(own: str) -> None:
    """amoCRM takes 36 printable ASCII characters for a source, and never lets them change."""
    id_ = source_id(OwnNumber(own))
    assert parse_source_id(id_) == own
    assert id_.isascii()
    assert id_.isprintable()
    assert len(id_) <= 36


@given(st.text())
def test_a_foreign_source_is_none_and_never_an_error(text: str) -> None:
    """A source that somebody else made is none of our numbers'."""
    own = parse_source_id(text)
    assert own is None or source_id(own) == text
