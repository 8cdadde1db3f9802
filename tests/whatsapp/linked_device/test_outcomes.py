"""What the library's answer to a send means."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.domain.message import Failure
from relay.domain.outbox import Closed, Dead, Delivered, Retry, Unknown
from relay.domain.reasons import Reason
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


REFUSALS = {
    "no LID found for 79161234567@s.whatsapp.net from server": Dead(
        "not on WhatsApp", Failure.NO_SUCH_CLIENT, Reason.NOT_ON_WHATSAPP
    ),
    "server returned error 463": Closed("WhatsApp refused it: 463"),
    "server returned error 400": Dead("WhatsApp refused it: 400", Failure.OTHER, Reason.REFUSED),
    "server returned error 479": Dead("WhatsApp refused it: 479", Failure.OTHER, Reason.REFUSED),
    "server returned error 500": Dead("WhatsApp refused it: 500", Failure.OTHER, Reason.REFUSED),
    "server returned error 4630": Dead("WhatsApp refused it: 4630", Failure.OTHER, Reason.REFUSED),
}


@pytest.mark.parametrize("error", REFUSALS)
def test_a_refusal_has_its_reason(error: str) -> None:
    """WhatsApp said no to this very message: 904 for an absent number, 905 with words for others.

    463 is no fault of the message: the number may write to no stranger for a while.
    """
    assert outcome_of(answer(error=error)) == REFUSALS[error]


@given(st.binary())
def test_an_unreadable_answer_is_unknown(data: bytes) -> None:
    """Whatever comes back, there is an outcome, and never a repetition out of confusion."""
    assert not isinstance(outcome_of(data), Retry)
