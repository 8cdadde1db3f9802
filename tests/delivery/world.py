"""A whole delivery with nothing around it: memory for disk, scripts for couriers, a hand clock."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import partial

from relay.delivery.deciding import Deciding
from relay.delivery.dispatcher import Dispatcher
from relay.delivery.fetching import MediaCourier
from relay.delivery.intake import Intake
from relay.delivery.letters import Composing, Held
from relay.delivery.media import as_it_is
from relay.delivery.ports import Courier
from relay.delivery.sorter import Reader, Sorter
from relay.delivery.steps import Step, Steps, ends_sending
from relay.delivery.store import Store
from relay.domain.contents import Text
from relay.domain.ids import (
    ChannelId,
    ClientAddress,
    ConversationId,
    CrmChatId,
    CrmMessageId,
    CrmPersonId,
    OwnNumber,
    WhatsAppMessageId,
)
from relay.domain.message import (
    Client,
    CrmEvent,
    Noise,
    Origin,
    Receipt,
    Received,
    Status,
    WhatsAppEvent,
    Written,
)
from relay.domain.outbox import SIDES, Delivered, Destination, Entry, Outcome, Retry, Unknown
from relay.domain.reasons import Reason
from relay.domain.routing import Manager
from relay.domain.settings import Channel, Settings
from tests.clock import HandClock, settle
from tests.delivery.memory_media import MemoryMedia
from tests.delivery.memory_store import MemoryStore
from tests.delivery.played_staff import ANNA, PlayedStaff

OWN = OwnNumber("74950000001")
SALES = Channel(ChannelId("sales"), "Продажи", OWN)
SETTINGS = Settings(
    channels={SALES.id: SALES},
    default_channel=SALES.id,
    everyone_else=Manager((SALES.id,)),
)


class ScriptedCourier:
    """Reports the outcomes it was given, then ``Delivered``; remembers what it carried.

    ``sent_as``: under which ids an interrupted letter went, by its key.
    """

    def __init__(self, *, repeatable: bool) -> None:
        self.repeatable = repeatable
        self.on_carry: Callable[[], None] = lambda: None
        self.why = Reason.EXPIRED
        self.typing_ms = 0
        self.prepared: list[str] = []
        self.ready = asyncio.Event()
        self.ready.set()
        self.unready: deque[Outcome] = deque()
        self.typed: list[str] = []
        self.sent_as: dict[str, tuple[WhatsAppMessageId, ...]] = {}
        self.script: dict[str, deque[Outcome | Exception]] = {}
        self.carried: list[Entry] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.in_flight = 0
        self.most_in_flight = 0

    def plan(self, lane: str, *outcomes: Outcome | Exception) -> None:
        """What the next attempts in that lane come to."""
        self.script.setdefault(lane, deque()).extend(outcomes)

    def lead_ms(self, entry: Entry) -> int:
        del entry
        return self.typing_ms

    async def prepare(self, entry: Entry) -> Outcome | None:
        self.prepared.append(entry.letter.key)
        await self.ready.wait()
        return self.unready.popleft() if self.unready else None

    async def lead_in(self, entry: Entry) -> None:
        self.typed.append(entry.letter.key)

    def why_late(self, entry: Entry) -> Reason:
        del entry
        return self.why

    async def interrupted(self, entry: Entry) -> Outcome:
        if self.repeatable:
            return Retry("interrupted", after_ms=0)
        return Unknown("stopped", self.sent_as.get(entry.letter.key, ()))

    async def deliver(self, entry: Entry) -> Outcome:
        self.carried.append(entry)
        self.on_carry()
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            await self.gate.wait()
        finally:
            self.in_flight -= 1
        planned = self.script.get(entry.letter.lane)
        outcome: Outcome | Exception = planned.popleft() if planned else self._success(entry)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    def _success(self, entry: Entry) -> Outcome:
        return Delivered(f"ref-{entry.letter.key}")

    @property
    def keys(self) -> list[str]:
        """The keys of what was carried, attempt by attempt."""
        return [entry.letter.key for entry in self.carried]


@dataclass
class World:
    """Everything between the two doors."""

    store: Store
    clock: HandClock
    settings: Settings
    into_amocrm: ScriptedCourier = field(default_factory=lambda: ScriptedCourier(repeatable=True))
    to_whatsapp: ScriptedCourier = field(default_factory=lambda: ScriptedCourier(repeatable=False))
    media: MemoryMedia = field(default_factory=MemoryMedia)
    steps: list[Step] = field(default_factory=list)
    typed: list[Composing] = field(default_factory=list)
    sorters: dict[Destination, Sorter] = field(default_factory=dict)
    dispatchers: dict[Destination, Dispatcher] = field(default_factory=dict)
    concurrency: int = 8
    staff: PlayedStaff = field(default_factory=PlayedStaff)

    def __post_init__(self) -> None:
        told = Steps((self._on_step,))
        self.intake = Intake(self.store, self.clock, self._sorter)
        for side in SIDES:
            self.sorters[side] = Sorter(
                side,
                self.store,
                self.clock,
                lambda: self.settings,
                hooks=read_hook,
                readers=reader,
                staff=self.staff,
                on_letters=self._on_letters,
                on_held=partial(self._on_held, side),
                on_typing=self.typed.append,
                steps=told,
                rush=self.intake.rush,
            )
        couriers: dict[Destination, Courier] = {
            Destination.AMOCRM: self.into_amocrm,
            Destination.WHATSAPP: self.to_whatsapp,
            Destination.MEDIA: MediaCourier(
                self.media, lambda _: self.media.bring, as_it_is, self.clock
            ),
        }
        for side, courier in couriers.items():
            self.dispatchers[side] = Dispatcher(
                side,
                self.store,
                courier,
                self.clock,
                lambda: self.settings,
                concurrency=self.concurrency,
                chance=lambda: 0.5,
                on_letters=self._on_letters,
                steps=told,
            )
        self.deciding = {
            side: Deciding(sorter, self.staff, self.clock) for side, sorter in self.sorters.items()
        }

    async def hear(self, *events: WhatsAppEvent, channel: str = "sales") -> None:
        """The engine of a channel hands over what it heard, one payload for all events."""
        HEARD.append(events)
        await self.intake.door(f"whatsapp/{channel}")(str(len(HEARD) - 1).encode())

    async def hook(self, event: CrmEvent) -> None:
        """amoCRM calls."""
        HOOKS.append(event)
        await self.intake.door("amocrm")(str(len(HOOKS) - 1).encode())

    def events(self) -> list[str]:
        """The steps so far, as the log names them."""
        return [step.event.value for step in self.steps]

    def _sorter(self, source: str) -> Sorter:
        return self.sorters[Destination.WHATSAPP if source == "amocrm" else Destination.AMOCRM]

    def _on_held(self, side: Destination, held: Held | None) -> None:
        self.deciding[side].note(held)

    def _on_step(self, step: Step) -> None:
        self.steps.append(step)
        if ends_sending(step):
            self.deciding[Destination.AMOCRM].hint()

    def _on_letters(self, destination: Destination) -> None:
        self.dispatchers[destination].wake()

    async def run(self) -> None:
        """Sort and dispatch until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            for sorter in self.sorters.values():
                tasks.create_task(sorter.run())
            for dispatcher in self.dispatchers.values():
                tasks.create_task(dispatcher.run())
            for deciding in self.deciding.values():
                tasks.create_task(deciding.run())


HEARD: list[tuple[WhatsAppEvent, ...]] = []
HOOKS: list[CrmEvent] = []


def reader(channel: str) -> Reader | None:
    """Payloads are places in a list; ``gone`` is a channel that nobody knows."""
    return None if channel == "gone" else _read


def _read(payload: bytes) -> Sequence[WhatsAppEvent]:
    return HEARD[int(payload)]


def read_hook(payload: bytes) -> CrmEvent:
    """Payloads are places in a list."""
    return HOOKS[int(payload)]


@asynccontextmanager
async def running(
    store: Store | None = None,
    clock: HandClock | None = None,
    *,
    before: Callable[[World], None] = lambda _: None,
    **changes: object,
) -> AsyncIterator[World]:
    """A world at work, prepared by ``before``; ``changes`` are changes of its settings."""
    settings = replace(SETTINGS, **changes)  # type: ignore[arg-type]  # names of its fields
    world = World(store or MemoryStore(), clock or HandClock(), settings)
    before(world)
    task = asyncio.create_task(world.run())
    await settle()
    try:
        yield world
        await settle()
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


# --- Things said ----------------------------------------------------------------------------------


def from_client(id_: str, text: str = "Привет", client: str = "79001234567") -> Received:
    """A client's message to our number."""
    return Received(
        own=OWN,
        client=Client(ClientAddress(client), f"+{client}", "Анна"),
        id=WhatsAppMessageId(id_),
        sent_at_ms=1_770_000_000_000,
        origin=Origin.CLIENT,
        content=Text(text),
    )


def written(id_: str, conversation: str | None = "wa-74950000001-79001234567") -> Written:
    """A manager's message, in a chat of ours or (None) a new one to the same number."""
    return Written(
        id=CrmMessageId(id_),
        chat=CrmChatId("chat-1"),
        conversation=ConversationId(conversation) if conversation else None,
        author=ANNA,
        client=CrmPersonId("client-1"),
        phone="8 (900) 123-45-67",
        content=Text("Добрый день"),
        written_at_ms=1_770_000_000_000,
    )


def receipt(status: Status, *ids: str) -> Receipt:
    """WhatsApp tells a status of messages of ours."""
    return Receipt(OWN, tuple(map(WhatsAppMessageId, ids)), status, 1_770_000_000_000)


GROUP = Noise("group")
