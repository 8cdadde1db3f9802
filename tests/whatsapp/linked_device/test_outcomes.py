"""What the library's answer to a send means."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.domain.message import Failure
from relay.domain.outbox import Dead, Delivered, Retry, Unknown
from relay.domain.texts import Reason
from relay.whatsapp.linked_device.outcomes import outcome_of
from tests.whatsapp.linked_device.samples import answer


def test_a_sent_message_has_its_id() -> None:
    """The reference is WhatsApp's id of the message."""
    assert outcome_of(answer(id_="3EB0F00D")) == Delivered("3EB0F00D")


@pytest.mark.parametrize(
    "error",
    [
        "failed to get user info for 7@s.whatsapp.net to fill LID cache: websocket not connected",
        "failed to get device list: failed to send usync query: info query timed out",
        "failed to prefetch sessions: database is locked",
        "failed to encrypt message",
        "can't encrypt message for device: no signal session established with 1_1.0",
        "failed to send message node: websocket not connected",
        "the store doesn't contain a device JID",
    ],
)
def test_what_failed_before_the_wire_was_not_sent(error: str) -> None:
    """Nothing was written to the socket: sending again is safe."""
    assert isinstance(outcome_of(answer(error=error)), Retry)


@pytest.mark.parametrize(
    "error",
    [
        "timed out waiting for message send response",
        "websocket disconnected before message send returned response",
        "websocket not connected",
        "failed to send message node: write: broken pipe",
        "something nobody has seen yet",
    ],
)
def test_what_may_have_been_sent_is_unknown(error: str) -> None:
    """Once a byte may be on the wire, or nobody knows, the message is never sent again."""
    assert isinstance(outcome_of(answer(error=error)), Unknown)


@given(st.text(min_size=1))
def test_only_known_words_allow_a_second_send(error: str) -> None:
    """An error text nobody foresaw never leads to a repetition."""
    assert isinstance(outcome_of(answer(error=error)), Unknown)


@pytest.mark.parametrize("code", [463, 479, 500])
def test_a_refusal_of_the_server_is_final(code: int) -> None:
    """WhatsApp said no to this very message: the manager is told."""
    outcome = outcome_of(answer(error=f"server returned error {code}"))
    assert outcome == Dead(f"WhatsApp refused it: {code}", Failure.OTHER, Reason.REFUSED)


def test_a_number_without_whatsapp() -> None:
    """No identity for the number: it is not on WhatsApp."""
    outcome = outcome_of(answer(error="no LID found for 79161234567@s.whatsapp.net from server"))
    assert outcome == Dead("not on WhatsApp", Failure.NO_SUCH_CLIENT, Reason.NOT_ON_WHATSAPP)


@given(st.binary())
def test_an_unreadable_answer_is_unknown(data: bytes) -> None:
    """Whatever comes back, there is an outcome, and never a repetition out of confusion."""
    assert not isinstance(outcome_of(data), Retry)
