"""Events of history, made of the library's own protobuf messages."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from relay.whatsapp.linked_device import protobufs
from tests.whatsapp.linked_device import samples

FULL, RECENT, PUSH_NAMES = 2, 3, 4
NUMBER, HIDDEN = samples.PHONE[0], samples.LID[0]


@dataclass
class Said:
    """A message of a chat; time in seconds."""

    id: str
    at_s: int
    text: str = "hi"
    own: bool = False
    wire: bytes | None = None


@dataclass
class Chat:
    """A chat of a history, its messages in the order in which phones hand them over."""

    said: list[Said]
    jid: str = f"{HIDDEN}@lid"
    fields: dict[str, str] = field(default_factory=lambda: {"pnJID": f"{NUMBER}@s.whatsapp.net"})


def chunk(
    *chats: Chat,
    kind: int = RECENT,
    progress: int = 100,
    mappings: tuple[tuple[str, str], ...] = (),
    names: tuple[tuple[str, str], ...] = (),
) -> bytes:
    """An event of history."""
    event: Any = protobufs.load().HistorySync()
    event.Data.syncType, event.Data.progress = kind, progress
    for number, hidden in mappings:
        event.Data.phoneNumberToLidMappings.add(pnJID=number, lidJID=hidden)
    for jid, name in names:
        event.Data.pushnames.add(ID=jid, pushname=name)
    for chat in chats:
        conversation = event.Data.conversations.add(ID=chat.jid, **chat.fields)
        for said in chat.said:
            web = conversation.messages.add().message
            web.key.ID, web.key.fromMe, web.key.remoteJID = said.id, said.own, chat.jid
            web.messageTimestamp = said.at_s
            if said.wire is None:
                web.message.conversation = said.text
            else:
                web.message.MergeFromString(said.wire)
    data: bytes = event.SerializePartialToString()
    return data
