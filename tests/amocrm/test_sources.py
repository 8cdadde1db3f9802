"""One source for each number, in step with the file, against the pretended amoCRM."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

import pytest
from structlog.testing import capture_logs
from structlog.typing import EventDict

from relay.amocrm.alarm import CredentialsAlarm
from relay.amocrm.client import open_session
from relay.amocrm.credentials import CredentialsHolder
from relay.amocrm.rest.client import RestClient
from relay.amocrm.rest.sources import Wanted
from relay.amocrm.rest.tokens import LongLivedToken
from relay.amocrm.sources import EVERY_MS, FIRST_PAUSE_MS, SourceKeeper
from relay.demo.pretended_amocrm import Answer, Lie, PretendedAmoCRM, Slow, Source
from relay.domain.ids import ChannelId, SourceId
from tests.amocrm.doubles import credentials
from tests.amocrm.rest.rig import QuickClock

SALES = Wanted(ChannelId("sales"), SourceId("wa-74950000001"), "Продажи", "+74950000001", 4712)
HELP = Wanted(ChannelId("help"), SourceId("wa-74950000002"), "Поддержка", "+74950000002")


class Pauses(QuickClock):
    """Short waits pass by themselves; a keeper's pause lasts until the test says otherwise."""

    def __init__(self) -> None:
        super().__init__()
        self.paused = asyncio.Event()
        self.pause_ms = 0
        self._over = asyncio.Event()

    async def wait_ms(self, event: asyncio.Event, at_most_ms: int) -> None:
        self.pause_ms = at_most_ms
        self._over.clear()
        self.paused.set()
        waits = [asyncio.ensure_future(it.wait()) for it in (event, self._over)]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self.paused.clear()
            for wait in waits:
                wait.cancel()

    def pass_by(self) -> None:
        self.ms += self.pause_ms
        self.paused.clear()
        self._over.set()


@dataclass
class Scene:
    """A keeper at work."""

    crm: PretendedAmoCRM
    clock: Pauses
    keeper: SourceKeeper
    wanted: list[Wanted]
    confirmed: list[bool] = field(default_factory=lambda: [True])

    async def look(self) -> list[EventDict]:
        """Wake the keeper, wait until he pauses, and what he said."""
        return await self._until_paused(self.keeper.wake)

    async def pause(self) -> list[EventDict]:
        """Let his pause pass, and wait until the next one."""
        return await self._until_paused(self.clock.pass_by)

    async def _until_paused(self, act: object) -> list[EventDict]:
        with capture_logs() as logs:
            self.clock.paused.clear()
            act()  # type: ignore[operator]  # one of the two above
            await asyncio.wait_for(self.clock.paused.wait(), 10)
        return logs

    def sources(self) -> list[tuple[str, str, int]]:
        return [(s.external_id, s.name, s.pipeline_id) for s in self.crm.account.sources.values()]

    def writes(self) -> list[str]:
        return [seen.method for seen in self.crm.requests if seen.method != "GET"]


@asynccontextmanager
async def scene_of(*wanted: Wanted) -> AsyncIterator[Scene]:
    clock = Pauses()
    async with PretendedAmoCRM(now_ms=clock.now_ms) as crm, open_session() as session:
        held = CredentialsHolder(credentials(token=crm.identity.token))
        alarm = CredentialsAlarm(clock)
        rest = RestClient(session, crm.url, LongLivedToken(held), clock, alarm)
        file, confirmed = list(wanted), [True]
        keeper = SourceKeeper(rest, lambda: file, lambda: confirmed[0], clock)
        scene = Scene(crm, clock, keeper, file, confirmed)
        task = asyncio.create_task(keeper.run())
        try:
            yield scene
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


def events(logs: list[EventDict]) -> list[str]:
    return [line["event"] for line in logs]


async def test_every_number_gets_its_source() -> None:
    """Made with name, pipeline and the number to click on; a second look changes nothing."""
    async with scene_of(SALES, HELP) as scene:
        await scene.look()
        assert scene.sources() == [
            ("wa-74950000001", "Продажи", 4712),
            ("wa-74950000002", "Поддержка", 4711),
        ]
        [first, _] = scene.crm.account.sources.values()
        assert first.services == [
            {
                "type": "whatsapp",
                "params": {"waba": False, "is_supports_list_message": False},
                "pages": [{"id": "1", "name": "Продажи", "link": "+74950000001"}],
            }
        ]
        assert await scene.look() == []
        assert scene.writes() == ["POST", "POST"]
        assert not scene.crm.violations


@pytest.mark.parametrize(
    "change", [{"name": "Отдел"}, {"pipeline_id": 4711}, {"official": True}, {"name": "x" * 300}]
)
async def test_a_change_of_the_file_is_followed(change: dict[str, object]) -> None:
    """Renamed, moved or of another engine: the source keeps its id and is changed."""
    async with scene_of(SALES) as scene:
        await scene.look()
        scene.wanted[:] = [replace(SALES, **change)]  # type: ignore[arg-type]  # its fields
        assert events(await scene.look()) == ["source_kept"]
        assert await scene.look() == []
        [source] = scene.crm.account.sources.values()
        assert (source.external_id, source.name) == ("wa-74950000001", scene.wanted[0].name)
        assert scene.writes() == ["POST", "PATCH"]


@pytest.mark.parametrize(
    "services",
    [
        None,
        [
            {
                "type": "whatsapp",
                "pages": [{"id": 9, "name": "Продажи", "link": "7 495 000-00-01"}],
            },
            {"type": "other", "pages": []},
        ],
    ],
)
async def test_what_amocrm_tells_in_its_own_way_is_not_changed_for_ever(services: object) -> None:
    """Another notation of the number, or no word of it, is no reason to write every day."""
    async with scene_of(SALES) as scene:
        await scene.look()
        [source] = scene.crm.account.sources.values()
        source.services = services  # type: ignore[assignment]  # nothing at all
        assert await scene.look() == []
        assert scene.writes() == ["POST"]


async def test_a_renamed_channel_keeps_its_source() -> None:
    """The source is the number's: another key in the file is no change to amoCRM."""
    async with scene_of(SALES) as scene:
        await scene.look()
        scene.wanted[:] = [replace(SALES, channel=ChannelId("shop"))]
        assert await scene.look() == []
        assert scene.writes() == ["POST"]


async def test_a_pipeline_that_is_not_named_is_amocrms_choice() -> None:
    """A key taken out of the file leaves the pipeline where it is."""
    async with scene_of(SALES) as scene:
        await scene.look()
        scene.wanted[:] = [replace(SALES, pipeline_id=None)]
        assert await scene.look() == []
        assert scene.sources() == [("wa-74950000001", "Продажи", 4712)]


async def test_what_is_not_in_the_file_is_told_and_left_alone() -> None:
    """Once, without whole numbers, and never deleted."""
    async with scene_of(SALES, HELP) as scene:
        scene.crm.account.sources[7] = Source(7, "other", "Call +7 999 123-45-67", 4711)
        first = [line for line in await scene.look() if line["event"] == "source_left_alone"]
        assert [(line["source"], line["name"]) for line in first] == [(7, "Call …67")]
        scene.wanted[:] = [SALES]
        assert events(await scene.look()) == ["source_left_alone"] * 2
        assert await scene.look() == []
        assert len(scene.sources()) == 3
        assert "DELETE" not in scene.writes()


async def test_one_wrong_channel_is_in_nobodys_way() -> None:
    """A pipeline that does not exist is told with its channel, once; the others are made."""
    async with scene_of(replace(SALES, pipeline_id=99), HELP) as scene:
        logs = await scene.look()
        assert events(logs) == ["source_refused", "source_kept"]
        assert logs[0]["channel"] == "sales"
        assert "pipeline_id" in logs[0]["error"]
        assert await scene.look() == []
        scene.wanted[0] = SALES
        assert events(await scene.look()) == ["source_kept"]


async def test_too_many_sources_are_told_in_words() -> None:
    """The limit is amoCRM's; the operator is told how many there are."""
    async with scene_of(SALES) as scene:
        for n in range(1, 101):
            scene.crm.account.sources[n] = Source(n, f"s-{n}", "old", 4711)
        logs = await scene.look()
        [refused] = [line for line in logs if line["event"] == "source_refused"]
        assert "100 sources already" in refused["error"]


async def test_without_the_right_nothing_is_tried_for_long() -> None:
    """A token without administrator's rights, or an external integration: told once, in words."""
    async with scene_of(SALES) as scene:
        scene.crm.rest.token_is_admin = False
        logs = await scene.look()
        assert events(logs) == ["source_refused"]
        assert logs[0]["channel"] is None
        assert scene.clock.pause_ms == EVERY_MS
        assert await scene.look() == []


async def test_an_account_that_is_not_confirmed_is_not_written_to() -> None:
    """A token of another account must not make sources there."""
    async with scene_of(SALES) as scene:
        scene.confirmed[0] = False
        await scene.look()
        assert not scene.crm.requests
        scene.confirmed[0] = True
        await scene.look()
        assert len(scene.sources()) == 1


async def test_an_amocrm_out_of_reach_is_asked_again() -> None:
    """With growing pauses, until it answers; then a look a day is enough."""
    async with scene_of(SALES) as scene:
        scene.crm.faults.add(Answer(502), "sources")
        assert events(await scene.look()) == ["sources_unknown"]
        pauses = [scene.clock.pause_ms]
        for _ in range(7):
            await scene.pause()
            pauses.append(scene.clock.pause_ms)
        assert pauses == [FIRST_PAUSE_MS * 2**n for n in range(6)] + [60 * FIRST_PAUSE_MS] * 2
        scene.crm.faults.clear()
        await scene.pause()
        assert len(scene.sources()) == 1
        assert scene.clock.pause_ms == EVERY_MS


async def test_an_answer_that_was_lost_makes_no_second_source() -> None:
    """Whether it was made is looked up before it is made again."""
    async with scene_of(SALES) as scene:
        scene.crm.faults.add(Slow(), "sources", times=1)  # the list itself is answered
        scene.crm.faults.add(Lie(), "sources", times=1)
        assert events(await scene.look()) == ["sources_unknown"]
        assert await scene.pause() == []
        assert scene.writes() == ["POST"]
        assert len(scene.sources()) == 1
