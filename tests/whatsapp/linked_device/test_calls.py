"""What the end of a call means."""

from __future__ import annotations

from typing import Any

import pytest

from relay.domain.contents import MISSED_CALL, Unsupported
from relay.domain.message import Noise, Received
from relay.whatsapp.linked_device import protobufs
from relay.whatsapp.linked_device.events import Code
from tests.whatsapp.linked_device import samples


def ended(
    creator: samples.Address = samples.LID,
    alt: samples.Address = samples.PHONE,
    caller: samples.Address | None = None,
    *,
    reason: str = "timeout",
    id_: str = "CALL1",
) -> bytes:
    event: Any = protobufs.load().CallTerminate(reason=reason)
    meta = event.basicCallMeta
    getattr(meta, "from").CopyFrom(samples.jid(caller or creator))
    meta.callCreator.CopyFrom(samples.jid(creator))
    meta.callCreatorAlt.CopyFrom(samples.jid(alt))
    meta.timestamp, meta.callID = 1_770_000_000, id_
    event.data.SetInParent()
    event.data.Tag = "terminate"
    data: bytes = event.SerializePartialToString()
    return data


def test_a_missed_call_is_the_clients_message() -> None:
    """At its own time, under an id that no message can have."""
    said = samples.read(Code.CALL_TERMINATE, ended())
    assert isinstance(said, Received)
    assert said.content == Unsupported(MISSED_CALL)
    assert said.client.phone == f"+{samples.PHONE[0]}"
    assert (said.id, said.sent_at_ms) == ("CALL1~call", 1_770_000_000_000)


@pytest.mark.parametrize(
    ("data", "rule"),
    [
        (ended(reason="accepted_elsewhere"), "answered_call"),
        (ended(reason="rejected_elsewhere"), "answered_call"),
        (ended(samples.OWN_PHONE, samples.OWN_LID), "self"),
        (ended(samples.OWN_LID, samples.OWN_PHONE), "self"),
        (ended(samples.OWN_LID, samples.NOWHERE, samples.LID), "own_call"),
        (ended(("1-2", "g.us"), samples.NOWHERE), "group"),
    ],
)
def test_other_ends_are_nobodys_business(data: bytes, rule: str) -> None:
    """What was dealt with on the phone, the owner's own calls, groups."""
    assert samples.read(Code.CALL_TERMINATE, data) == Noise(rule)


def test_a_call_without_an_id_is_refused() -> None:
    """It could not be known again."""
    with pytest.raises(ValueError, match="without an id"):
        samples.read(Code.CALL_TERMINATE, ended(id_=""))
