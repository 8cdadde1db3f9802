"""Is a process around the unmodified client library: commands in, events out, one JSON a line.

Run as ``python -m tests.whatsapp_server.client_process STORE``. It holds one client on one store
and leaves with ``os._exit`` when its input ends, because a client that never paired cannot be
stopped otherwise.
"""

from __future__ import annotations

import asyncio
import base64
import json
import logging
import os
import sys
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pylibmagic  # noqa: F401  (brings libmagic, which the library wants, to a bare machine)

logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
logging.getLogger("whatsmeow.Client").setLevel(logging.INFO)  # it tells what no event may tell

from neonize.aioze import events  # noqa: E402  (logging must be there first)
from neonize.aioze.client import NewAClient  # noqa: E402
from neonize.events import UndecryptableMessageEv  # noqa: E402
from neonize.proto.Neonize_pb2 import JID  # noqa: E402
from neonize.proto.waE2E.WAWebProtobufsE2E_pb2 import Message  # noqa: E402
from neonize.utils.enum import (  # noqa: E402
    ChatPresence,
    ChatPresenceMedia,
    MediaType,
    Presence,
    ReceiptType,
)

from tests.whatsapp_server.harness import QUIET  # noqa: E402

_log = logging.getLogger(__name__)
_COMMAND_BYTES = 8 * 1024 * 1024

Command = Callable[..., Awaitable[Any]]


class Process:
    """The client, its events as lines, and the commands a test may give."""

    def __init__(self, store: str, output: int) -> None:
        self._client = NewAClient(store)
        self._output = output
        self._running: asyncio.Task[None] | None = None
        self._commands: dict[str, Command] = {
            "connect": self._connect,
            "stop": self._client.stop,
            "logout": self._client.logout,
            "pair_code": self._pair_code,
            "send": self._send,
            "mark_read": self._mark_read,
            "is_on_whatsapp": self._is_on_whatsapp,
            "presence": self._presence,
            "typing": self._typing,
            "number_of": self._number_of,
            "download": self._download,
            "send_media": self._send_media,
            "contact": self._contact,
            "blocklist": self._blocklist,
            "picture": self._picture,
            "group": self._group,
        }
        self._subscribe()

    def _subscribe(self) -> None:
        async def qr(_: NewAClient, data: bytes) -> None:
            self.say("qr", text=data.decode())

        self._client.qr(qr)
        for kind in (
            events.ConnectedEv,
            events.DisconnectedEv,
            events.LoggedOutEv,
            events.StreamReplacedEv,
            events.TemporaryBanEv,
            events.ConnectFailureEv,
            events.ClientOutdatedEv,
            events.StreamErrorEv,
            events.PairStatusEv,
            events.OfflineSyncCompletedEv,
            events.ReceiptEv,
            events.ChatPresenceEv,
            events.PresenceEv,
            events.HistorySyncEv,
            events.GroupInfoEv,
            UndecryptableMessageEv,
        ):
            self._client.event(kind)(self._plain)
        self._client.event(events.MessageEv)(self._message)

    def say(self, kind: str, **values: Any) -> None:
        line = json.dumps({"event": kind, **values}, ensure_ascii=False)
        os.write(self._output, line.encode() + b"\n")

    async def _plain(self, _: NewAClient, event: Any) -> None:
        body = base64.b64encode(event.SerializeToString()).decode()
        self.say(type(event).__name__, fields=_fields(event), body=body)

    async def _message(self, _: NewAClient, event: Any) -> None:
        source = event.Info.MessageSource
        body = event.Message
        self.say(
            "message",
            id=event.Info.ID,
            chat=_address(source.Chat),
            sender=_address(source.Sender),
            sender_alt=_address(source.SenderAlt),
            recipient_alt=_address(source.RecipientAlt),
            from_me=source.IsFromMe,
            group=source.IsGroup,
            name=event.Info.Pushname,
            at_ms=event.Info.Timestamp,
            edit=event.Info.Edit,
            text=body.conversation or body.extendedTextMessage.text,
            kinds=[field.name for field, _ in body.ListFields()],
            body=base64.b64encode(body.SerializeToString()).decode(),
        )

    async def run(self, lines: asyncio.StreamReader) -> None:
        """Obeys until the input ends."""
        async with asyncio.TaskGroup() as group:
            while line := await lines.readline():
                request = json.loads(line)
                group.create_task(self._obey(**request))

    async def _obey(self, number: int, name: str, values: dict[str, Any]) -> None:
        try:
            self.say("done", number=number, result=await self._commands[name](**values))
        except Exception as error:  # noqa: BLE001  (the test decides what an error means)
            self.say("done", number=number, error=f"{type(error).__name__}: {error}")

    async def _connect(self) -> None:
        self._running = await self._client.connect()
        self._running.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        error = None if task.cancelled() else task.exception()
        self.say("ended", error=None if error is None else str(error))

    async def _pair_code(self, phone: str) -> str:
        return str(await self._client.PairPhone(phone, True))

    async def _send(self, to: str, text: str) -> str:
        sent = await self._client.send_message(_jid(to), Message(conversation=text))
        return str(sent.ID)

    async def _mark_read(self, chat: str, sender: str, ids: list[str]) -> None:
        await self._client.mark_read(
            *ids, chat=_jid(chat), sender=_jid(sender), receipt=ReceiptType.READ
        )

    async def _is_on_whatsapp(self, numbers: list[str]) -> list[dict[str, Any]]:
        found = await self._client.is_on_whatsapp(*numbers)
        return [{"query": f.Query, "is_in": f.IsIn, "jid": _address(f.JID)} for f in found]

    async def _presence(self) -> None:
        await self._client.send_presence(Presence.AVAILABLE)

    async def _typing(self, chat: str) -> None:
        await self._client.send_chat_presence(
            _jid(chat),
            ChatPresence.CHAT_PRESENCE_COMPOSING,
            ChatPresenceMedia.CHAT_PRESENCE_MEDIA_TEXT,
        )

    async def _number_of(self, lid: str) -> str:
        return _address(await self._client.get_pn_from_lid(_jid(lid)))

    async def _download(self, body: str) -> str:
        message = Message.FromString(base64.b64decode(body))
        return base64.b64encode(await self._client.download_any(message)).decode()

    async def _send_media(self, to: str, data: str, name: str) -> str:
        content = base64.b64decode(data)
        uploaded = await self._client.upload(content, MediaType.MediaDocument)
        message = Message()
        document = message.documentMessage
        document.URL, document.directPath = uploaded.url, uploaded.DirectPath
        document.mediaKey, document.fileSHA256 = uploaded.MediaKey, uploaded.FileSHA256
        document.fileEncSHA256, document.fileLength = uploaded.FileEncSHA256, uploaded.FileLength
        document.fileName, document.mimetype = name, "application/octet-stream"
        return str((await self._client.send_message(_jid(to), message)).ID)

    async def _blocklist(self) -> None:
        await self._client.get_blocklist()

    async def _picture(self, jid: str) -> str:
        return str((await self._client.get_profile_picture(_jid(jid))).URL)

    async def _group(self, jid: str) -> dict[str, Any]:
        found = await self._client.get_group_info(_jid(jid))
        members = [_address(member.JID) for member in found.Participants]
        return {"subject": found.GroupName.Name, "members": members}

    async def _contact(self, jid: str) -> dict[str, Any]:
        found = await self._client.contact.get_contact(_jid(jid))
        return {"found": found.Found, "name": found.FullName, "push_name": found.PushName}


def _jid(text: str) -> Any:
    user, _, server = text.partition("@")
    return JID(User=user, Server=server or "s.whatsapp.net", RawAgent=0, Device=0, Integrator=0)


def _address(jid: Any) -> str:
    if jid.IsEmpty or not jid.Server:
        return ""
    device = f":{jid.Device}" if jid.Device else ""
    return f"{jid.User}{device}@{jid.Server}"


def _fields(event: Any) -> dict[str, Any]:
    """The event's plain values by name, addresses as text; nested messages one level deep."""
    values: dict[str, Any] = {}
    for field, value in event.ListFields():
        if field.message_type is None:
            is_list = not isinstance(value, str | int | float | bool | bytes)
            values[field.name] = list(value) if is_list else _plain(value)
        elif field.message_type.name == "JID":
            values[field.name] = _address(value)
        elif hasattr(value, "ListFields"):
            values |= {f"{field.name}.{key}": inner for key, inner in _fields(value).items()}
    return values


def _plain(value: Any) -> Any:
    return value.hex() if isinstance(value, bytes) else value


async def main(store: str, output: int) -> None:
    """Serves one store until the input ends."""
    loop = asyncio.get_running_loop()
    loop.set_default_executor(ThreadPoolExecutor(max_workers=16))
    lines = asyncio.StreamReader(limit=_COMMAND_BYTES)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    await Process(store, output).run(lines)
    os._exit(0)


if __name__ == "__main__":
    # The library prints on standard output: events leave by a copy, the rest goes to the errors.
    if QUIET in os.environ:
        logging.getLogger("neonize.utils.log").setLevel(logging.INFO)
    events_out = os.dup(1)
    os.dup2(2, 1)
    asyncio.run(main(sys.argv[1], events_out))
