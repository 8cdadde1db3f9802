"""The parts of a relay, built and joined but not started."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import aiohttp
import structlog
from aiohttp import web

from relay.amocrm.alarm import CredentialsAlarm
from relay.amocrm.client import ChatsClient
from relay.amocrm.connection import Connection
from relay.amocrm.courier import ChatsCourier
from relay.amocrm.hooks import read_hook
from relay.amocrm.rest.account import AccountReader
from relay.amocrm.webhook import HookDoor
from relay.amocrm.wire import Wire
from relay.app.channels import ChannelCourier, Channels
from relay.app.clock import SteadyClock, SystemClock
from relay.app.connecting import HasteningConnector
from relay.app.facts import Facts
from relay.app.knowledge import knowledge_routes
from relay.app.linking import linking_routes
from relay.app.listen import Listening
from relay.app.live import Live
from relay.app.media_parts import MediaParts, OpenedMedia, public_link
from relay.app.pairings import ChildPairings
from relay.app.phones import lines_of, phone_routes
from relay.app.reconfigure import Reloader
from relay.app.report import HealthReader
from relay.app.rest_parts import RestParts
from relay.app.settings_book import FileBook
from relay.app.surroundings import Surroundings
from relay.app.take import Taker
from relay.app.typists import Typists
from relay.app.widget_parts import AccountNumber, WidgetParts
from relay.config.channel import Channel
from relay.config.model import Config
from relay.delivery.avatars import Avatars
from relay.delivery.deciding import Deciding
from relay.delivery.dispatcher import Dispatcher
from relay.delivery.housekeeping import Heartbeat, Tidying
from relay.delivery.intake import Intake
from relay.delivery.letters import Held
from relay.delivery.phones import Phones
from relay.delivery.ports import Courier, Engine
from relay.delivery.sorter import Sorter
from relay.delivery.spooling import Spooling
from relay.delivery.steps import Step, Steps, ends_sending
from relay.delivery.store import Spool, Store
from relay.domain.ids import ChannelId
from relay.domain.outbox import SIDES, Destination
from relay.web.health import admin_routes
from relay.web.metrics import Metrics
from relay.web.server import Server

_log = structlog.stdlib.get_logger("relay")

_IN_FLIGHT = {
    Destination.AMOCRM: 64,
    Destination.WHATSAPP: 256,
    Destination.MEDIA: 96,  # fewer than one channel may have connections
}  # each its own lane


class Parts:
    """Everything that runs, complete when constructed, in the order of the path of a message."""

    def __init__(
        self,
        live: Live,
        around: Surroundings,
        clock: SystemClock,
        store: Store,
        session: aiohttp.ClientSession,
        *,
        spool: Spool,
        media: OpenedMedia,
    ) -> None:
        self.live, self.clock, self.store = live, clock, store
        self._steady = SteadyClock(clock)
        self.facts = Facts(store)
        self.metrics = Metrics()
        self._around = around
        self._storage = live.config.storage.directory  # a change of it needs a restart
        self._steps = Steps((self.metrics.count, self._on_step, *around.observers))
        self.intake = Intake(store, self._steady, self._sorter_of)
        self.spooling = Spooling(spool, self.intake, clock)
        self.channels = Channels(clock, around.chance, self.spooling.door)
        self.channels.listen(lambda id_, session: self.metrics.session(id_, session.state))
        self.phones = Phones(store, clock, lines_of(self.channels))
        self.typists = Typists(self.channels, self._steady)
        self.avatars = Avatars(media.files, self.channels.engine, self._steady)
        self._build_amocrm(session)
        self.account_number = AccountNumber(self.connection, self.facts)
        self.media = MediaParts(
            live, media, self.channels, clock=clock, token=self.rest.tokens.token
        )
        self.metrics.follow_token(self.rest.token_expires_s)
        self._build_delivery()
        self.taker = Taker(live, self.channels, self._engine, self._on_credentials)
        self.reloader = Reloader(around.path, around.secrets, clock, self._take)
        self.widget = self._build_widget()
        self.health = HealthReader(
            store=store,
            clock=clock,
            alarm=self.alarm,
            metrics=self.metrics,
            sessions=lambda: self.channels.sessions,
            last_reload=lambda: self.reloader.last,
        )
        self.heartbeat = Heartbeat(store, clock, clock.elapsed_ms, self._on_beat)
        self.tidying = Tidying(store, clock, lambda: live.config.delivery.keep_delivered_ms)

    def servers(self, listening: Listening) -> Iterator[Server]:
        """The servers, in the order in which they open: the door for hooks first."""
        hooks = [web.post("/amocrm/hook/{scope_id}", self.hook_door.handle)]
        hooks += self.rest.public_routes()
        hooks += self.widget.public_routes()
        hooks += self.media.routes()
        yield Server(listening.hooks, hooks, last_call=True)
        admin = admin_routes(self.health.read, self.metrics.registry)
        yield Server(listening.admin, admin)
        linking = linking_routes(self.channels.engine)
        phones = phone_routes(self.phones, self.clock.now_ms)
        authorizing = self.rest.control_routes()
        knowledge = knowledge_routes(self.store, lambda: self.live.settings, self.clock.now_ms)
        routes = [*admin, *linking, *phones, *authorizing, *knowledge]
        yield Server(listening.control, routes)

    def _build_amocrm(self, session: aiohttp.ClientSession) -> None:
        live, amocrm = self.live, self.live.config.amocrm
        self.alarm = CredentialsAlarm(self.clock)
        self.wire = Wire(amocrm.chats_url)
        client = ChatsClient(self.wire, live.credentials, self.clock, self.alarm)
        self.rest = RestParts(
            live,
            session,
            self.facts,
            self.alarm,
            clock=self.clock,
            confirmed=lambda: self.connection.confirmed,
            reconnect=self._on_consent,
        )
        self.connection = Connection(
            chats=HasteningConnector(client, self._on_connected),
            accounts=AccountReader(self.rest.client, self.alarm),
            credentials=live.credentials,
            clock=self.clock,
            alarm=self.alarm,
            recall=self.facts.account,
            remember=self.facts.remember_account,
            grant=lambda: self.rest.tokens.grant,
        )
        self.courier = ChatsCourier(
            client=client,
            connection=self.connection,
            credentials=live.credentials,
            alarm=self.alarm,
            language=lambda: live.settings.language,
            link=public_link(live.config.server.public_url),
            rewrite_phones=self.rest.phones_of(self.store),
            avatar=self.avatars.of,
        )
        self.hook_door = HookDoor(
            self.connection, live.credentials, self.intake.door("amocrm"), self.clock
        )

    def _build_delivery(self) -> None:
        self.sorters = {side: self._sorter(side) for side in SIDES}
        self.deciding = {
            side: Deciding(sorter, self.rest.staff, self._steady)
            for side, sorter in self.sorters.items()
        }
        couriers: dict[Destination, Courier] = {
            Destination.AMOCRM: self.courier,
            Destination.WHATSAPP: ChannelCourier(self.channels, self.live.typing_ms),
            Destination.MEDIA: self.media.courier,
        }
        self.dispatchers = {
            side: self._dispatcher(side, courier) for side, courier in couriers.items()
        }

    def _engine(self, id_: ChannelId, channel: Channel) -> Engine:
        return self._around.engines(id_, channel, self._storage, self.clock, self.media.files)

    def _build_widget(self) -> WidgetParts:
        self.pairings = ChildPairings(self._around.pair, self.clock, self.live.linkable)
        staff = self.rest.staff
        book = FileBook(
            self._around.path,
            self._around.secrets,
            self.clock,
            live=lambda: self.live.config,
            on_change=self.reloader.ask,
            name_of=lambda user: staff.names().get(user, ""),
        )
        return WidgetParts(
            self.live,
            self.store,
            self.clock,
            phones=self.phones,
            account=self.account_number,
            staff=staff,
            channels=self.channels,
            book=book,
            pairings=self.pairings,
        )

    def _sorter(self, side: Destination) -> Sorter:
        return Sorter(
            side,
            self.store,
            self._steady,
            lambda: self.live.settings,
            hooks=read_hook,
            readers=self.channels.reader,
            staff=self.rest.staff,
            on_letters=self._on_letters,
            on_held=partial(self._on_held, side),
            on_typing=self.typists.show,
            steps=self._steps,
            rush=self.intake.rush,
        )

    def _dispatcher(self, side: Destination, courier: Courier) -> Dispatcher:
        return Dispatcher(
            side,
            self.store,
            courier,
            self._steady,
            lambda: self.live.settings,
            concurrency=_IN_FLIGHT[side],
            chance=self._around.chance,
            on_letters=self._on_letters,
            steps=self._steps,
        )

    async def _take(self, config: Config) -> list[str]:
        """Take a changed file; what waits by its pace, and the sources, are looked at again."""
        changes = await self.taker.take(config)
        if changes:
            self.rest.sources.wake()
            self.deciding[Destination.WHATSAPP].wake()
            await self.dispatchers[Destination.WHATSAPP].hasten()
        return changes

    async def _on_credentials(self) -> None:
        """What amoCRM refused with the old ones is tried with the new ones at once."""
        self.rest.on_credentials()
        self.connection.reconnect()
        await self._hasten_amocrm()

    def _on_consent(self) -> None:
        """There are new tokens: whatever waited for one goes on."""
        self.connection.reconnect()

    async def _on_connected(self) -> None:
        """The channel is connected: what was refused before may be tried, what is due is done."""
        self.rest.on_connected()
        await self.account_number.keep()
        await self._hasten_amocrm()

    async def _hasten_amocrm(self) -> None:
        await self.dispatchers[Destination.AMOCRM].hasten()

    def _sorter_of(self, source: str) -> Sorter:
        return self.sorters[Destination.WHATSAPP if source == "amocrm" else Destination.AMOCRM]

    def _on_held(self, side: Destination, held: Held | None) -> None:
        self.deciding[side].note(held)

    def _on_step(self, step: Step) -> None:
        if ends_sending(step):  # perhaps something waited for that
            self.deciding[Destination.AMOCRM].hint()

    def _on_letters(self, destination: Destination) -> None:
        self.dispatchers[destination].wake()

    def _on_beat(self, taken: bool) -> None:
        self.health.journal_writable = taken
        if taken:  # so a jump of the clock, if there was one, has been made good
            self._steady.follow()
        self._around.notifier.alive()
