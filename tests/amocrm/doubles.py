"""Stand-ins for the amoCRM room's neighbours, and the invented account all tests speak of."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Callable
from typing import Final

from relay.amocrm.credentials import Credentials, CredentialsHolder
from relay.domain.bodies import Body, NewMessage, StatusUpdate
from relay.domain.contents import Content, Text
from relay.domain.ids import (
    ClientAddress,
    ConversationId,
    CrmChatId,
    CrmMessageId,
    CrmPersonId,
    MessageId,
    OwnNumber,
    WhatsAppMessageId,
)
from relay.domain.message import Client, Origin, Status
from relay.domain.outbox import Destination, Entry, EntryId, EntryState, Letter

SECRET: Final = "0123456789abcdef0123456789abcdef01234567"
TOKEN: Final = "token-of-the-account"
DATE: Final = "Tue, 03 Feb 2026 10:15:30 +0000"
DATE_MS: Final = 1770113730_000
CHANNEL: Final = "11111111-2222-4333-8444-555555555555"
ACCOUNT: Final = "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee"
SCOPE: Final = f"{CHANNEL}_{ACCOUNT}"
BOT: Final = "55555555-0000-4000-8000-000000000001"
CHAT: Final = CrmChatId("12121212-8888-4777-8666-555555555555")
PERSON: Final = CrmPersonId("44444444-1111-4222-8333-444444444444")
CRM_MESSAGE: Final = CrmMessageId("77777777-6666-4555-8444-333333333333")
OWN: Final = OwnNumber("74950000001")
IVAN: Final = Client(ClientAddress("79991234567"), "+79991234567", "Иван")
CONVERSATION: Final = ConversationId("wa-79991234567")

TOLD_CHAT: Final = CrmChatId("99999999-8888-4777-8666-555555555555")
ACCEPTED: Final = (
    b'{"new_message":{"conversation_id":"99999999-8888-4777-8666-555555555555",'
    b'"sender_id":"33333333-1111-4222-8333-444444444444","receiver_id":null,'
    b'"msgid":"77777777-6666-4555-8444-333333333333","ref_id":"wa-3EB0C0FFEE"}}'
)


def credentials(secret: str = SECRET, token: str = TOKEN, bot_id: str | None = None) -> Credentials:
    return Credentials(CHANNEL, secret, token, "WA relay", bot_id)


def holder() -> CredentialsHolder:
    return CredentialsHolder(credentials())


def message(
    content: Content | None = None, client: Client = IVAN, origin: Origin = Origin.CLIENT
) -> NewMessage:
    return NewMessage(
        conversation=CONVERSATION,
        id=MessageId("wa-3EB0C0FFEE"),
        whatsapp_id=WhatsAppMessageId("3EB0C0FFEE"),
        own=OWN,
        client=client,
        sent_at_ms=1770113730123,
        origin=origin,
        content=Text("Привет") if content is None else content,
    )


def read_status() -> StatusUpdate:
    return StatusUpdate(CRM_MESSAGE, Status.READ)


def binding(letter: NewMessage) -> NewMessage:
    """The same in a chat that amoCRM began and does not know by our ids yet."""
    return dataclasses.replace(letter, crm_chat=CHAT, crm_client=PERSON)


def entry(body: Body) -> Entry:
    letter = Letter(
        key="k",
        lane="l",
        destination=Destination.AMOCRM,
        body=body,
        trace="t1",
        channel=None,
        accepted_ms=DATE_MS,
        expires_ms=DATE_MS + 86_400_000,
    )
    return Entry(EntryId(1), letter, EntryState.PENDING, 0, DATE_MS)


class HandClock:
    """A clock that stands still until it is moved by hand."""

    def __init__(self, now_ms: int = DATE_MS) -> None:
        self._now_ms = now_ms
        self._sleepers: list[tuple[int, asyncio.Future[None]]] = []
        self._changed = asyncio.Event()

    def now_ms(self) -> int:
        return self._now_ms

    async def sleep_ms(self, duration_ms: int) -> None:
        waking = asyncio.get_running_loop().create_future()
        sleeper = (self._now_ms + duration_ms, waking)
        self._sleepers.append(sleeper)
        self._changed.set()
        try:
            await waking
        finally:
            self._sleepers.remove(sleeper)

    async def wait_ms(self, event: asyncio.Event, at_most_ms: int) -> None:
        waits = [
            asyncio.ensure_future(event.wait()),
            asyncio.ensure_future(self.sleep_ms(at_most_ms)),
        ]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
            await asyncio.gather(*waits, return_exceptions=True)

    async def until_asleep(self) -> int:
        """Wait until somebody sleeps; the longest of the sleeps."""
        while not self._sleepers:
            self._changed.clear()
            await self._changed.wait()
        return max(due_ms for due_ms, _ in self._sleepers) - self._now_ms

    def advance(self, duration_ms: int) -> None:
        self._now_ms += duration_ms
        for due_ms, waking in self._sleepers:
            if due_ms <= self._now_ms and not waking.done():
                waking.set_result(None)


class FakeScope:
    """A connection that is what the test says, counts the wishes, and tells when it is asked."""

    def __init__(self) -> None:
        self.known: str | None = SCOPE
        self.wishes = 0
        self.asked = asyncio.Event()

    @property
    def scope_id(self) -> str | None:
        self.asked.set()
        return self.known

    def reconnect(self) -> None:
        self.wishes += 1


class FakeHandOver:
    """Keeps what is handed over, or refuses with what it is told to."""

    def __init__(self) -> None:
        self.kept: list[bytes] = []
        self.trouble: Exception | None = None
        self.before: Callable[[], None] = lambda: None

    async def __call__(self, payload: bytes) -> None:
        self.before()
        if self.trouble is not None:
            raise self.trouble
        self.kept.append(payload)

    def from_thread(self, payload: bytes) -> None:
        raise AssertionError("the door lives on the loop")
