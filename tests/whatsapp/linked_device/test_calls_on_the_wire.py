"""Calls between a client's phone and the real library."""

from __future__ import annotations

from pathlib import Path

import pytest

from relay.domain.contents import MISSED_CALL, Text, Unsupported
from tests.whatsapp.linked_device.scene import connected


@pytest.mark.parametrize("addressing", ["lid", "pn"])
async def test_a_call_that_nobody_answers_is_a_line_in_its_chat(
    tmp_path: Path, addressing: str
) -> None:
    """Whether it rang out or was hung up; one that was dealt with on the phone is none.

    The session lives on, and what is written after comes after.
    """
    async with connected(tmp_path) as (there, engine):
        anna, phone = there.anna, there.phone
        for end in ("accepted_elsewhere", "timeout", "rejected_elsewhere", None):
            await anna.call(phone, end=end, addressing=addressing)  # type: ignore[arg-type]  # one of the two
        await anna.send(phone, "перезвоните")
        said = [await engine.message() for _ in range(3)]
        assert [message.content for message in said] == [
            Unsupported(MISSED_CALL), Unsupported(MISSED_CALL), Text("перезвоните")
        ]  # fmt: skip
        assert {message.client.phone for message in said} == {f"+{anna.number}"}
        assert len({message.id for message in said}) == 3
