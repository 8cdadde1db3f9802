"""Marks what is sent, so that a message can be found again whose sending nobody saw the end of.

The library chooses the id of a message itself and tells it only when the send has succeeded. But it
takes a message's *secret* (``MessageContextInfo.messageSecret``, 32 bytes that go to the client
inside the encrypted message) from us, and writes it down in the session's database together with
the id, before the first byte is on the wire (whatsmeow's ``SendMessage``, seen with 0.5.2). So a
secret of our choosing leads to the id, also after a kill.
"""

from __future__ import annotations

import asyncio
import hashlib
import sys
from pathlib import Path

import structlog

from relay.domain.bodies import Reply
from relay.domain.ids import WhatsAppMessageId
from relay.whatsapp.linked_device.protobufs import secret_bytes

_LOOKUP = Path(__file__).with_name("lookup.py")
_LONGEST_S = 10.0

log = structlog.get_logger(__name__)


def mark_of(reply: Reply) -> bytes:
    """The secret of a message: always the same, and nobody's to guess who knows not amoCRM's id."""
    return hashlib.sha256(f"relay/{reply.own}/{reply.crm_id}".encode()).digest()


def marked(message: bytes, reply: Reply) -> bytes:
    """The message for the library, with its mark. Protobuf merges what is put one after another."""
    return message + secret_bytes(mark_of(reply))


async def ids_of(database: Path, reply: Reply) -> tuple[WhatsAppMessageId, ...]:
    """The ids under which the message was about to be sent, by the session's database.

    Empty if it cannot be told; that does not prove that nothing was sent. A process of its own
    reads it: closing a descriptor of an SQLite file here would drop the library's locks on it.
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-I", str(_LOOKUP), str(database), mark_of(reply).hex(),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        async with asyncio.timeout(_LONGEST_S):
            out, errors = await process.communicate()
    except TimeoutError:
        log.warning("sent_message_not_found", error=f"no answer within {_LONGEST_S:g} s")
        return ()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode:
        last = errors.decode("utf-8", "replace").strip().rpartition("\n")[2]
        log.warning("sent_message_not_found", error=last)
        return ()
    return tuple(map(WhatsAppMessageId, out.decode().split()))
