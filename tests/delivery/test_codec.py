"""Bodies of letters outlive the process, and releases."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.delivery.codec import dump_body, load_body, plain_json
from relay.domain.bodies import Body, Reply
from relay.domain.contents import Content, Text
from relay.domain.ids import ChannelId, ClientAddress, ConversationId, CrmMessageId, OwnNumber

REPLY = Reply(
    conversation=ConversationId("wa-74950000001-79001234567"),
    crm_id=CrmMessageId("m-1"),
    channel=ChannelId("sales"),
    own=OwnNumber("74950000001"),
    to=ClientAddress("79001234567"),
    content=Text("Добрый день"),
)


def _finite(content: Content | Body) -> bool:
    return "nan" not in repr(content) and "inf" not in repr(content)


@given(st.from_type(Body).filter(_finite))  # type: ignore[arg-type]
def test_every_body_is_written_as_it_is_checked(body: Body) -> None:
    """Whatever waits in the outbox is read again, and both ways of writing say the same."""
    assert load_body(dump_body(body)) == body
    assert json.loads(dump_body(body)) == json.loads(plain_json(body))  # 1e-7 is 1e-07


def test_half_a_character_is_refused() -> None:
    """It could not be read again; the row it came from is set aside instead."""
    with pytest.raises(ValueError, match="surrogate"):
        dump_body(replace(REPLY, content=Text("\ud83d")))


@given(st.from_type(Content).filter(_finite))  # type: ignore[arg-type]
def test_every_content_comes_back_as_it_was(content: Content) -> None:
    """What was put into the outbox is what is delivered, of whatever kind."""
    body = replace(REPLY, content=content)
    assert load_body(dump_body(body)) == body


def test_what_earlier_releases_wrote_is_read() -> None:
    """A text in the form in which it has always been written."""
    old = (
        b'{"conversation":"wa-74950000001-79001234567","crm_id":"m-1","channel":"sales",'
        b'"own":"74950000001","to":"79001234567",'
        b'"content":{"text":"\xd0\x94\xd0\xbe\xd0\xb1\xd1\x80\xd1\x8b\xd0\xb9 '
        b'\xd0\xb4\xd0\xb5\xd0\xbd\xd1\x8c","kind":"text"},"kind":"reply"}'
    )
    assert load_body(old) == REPLY
