"""Asking for consent: one address, one state, one answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

import pytest
from structlog.testing import capture_logs

from relay.amocrm.credentials import Credentials, CredentialsHolder
from relay.amocrm.errors import RefusedError
from relay.amocrm.rest.consent import LIFE_MS, ConsentDesk, ConsentState
from relay.amocrm.rest.oauth import page_address
from relay.demo.pretended_amocrm import Answer
from tests.amocrm.rest.test_renewal import Scene, scene_of


@dataclass
class Desk:
    """A desk, what is around it, and how often it said that there are tokens."""

    scene: Scene
    desk: ConsentDesk
    done: list[str]

    def back(self, address: str, **changes: str) -> dict[str, str]:
        """What an administrator's browser brings back from that address."""
        [state] = parse_qs(urlsplit(address).query)["state"]
        oauth = self.scene.crm.oauth
        return {"code": oauth.give_code(), "state": state, "referer": oauth.referer} | changes


@asynccontextmanager
async def desk_of() -> AsyncIterator[Desk]:
    async with scene_of() as scene:
        done: list[str] = []
        desk = ConsentDesk(
            scene.tokens, scene.crm.url, scene.held, scene.clock, lambda: done.append("done")
        )
        yield Desk(scene, desk, done)


@pytest.mark.parametrize(
    ("account", "page"),
    [
        ("https://example.amocrm.ru", "https://www.amocrm.ru/oauth"),
        ("https://example.kommo.com", "https://www.kommo.com/oauth"),
        ("http://127.0.0.1:8001", "http://127.0.0.1:8001/oauth"),
        ("https://amocrm.ru.evil.example", "https://amocrm.ru.evil.example/oauth"),
    ],
)
def test_the_page_is_amocrms(account: str, page: str) -> None:
    """Each of the two brands has one page for all its accounts."""
    address = page_address(account, "22222222", "a state")
    assert address == f"{page}?client_id=22222222&state=a+state&mode=popup"


async def test_a_consent_brings_tokens() -> None:
    """Whoever waits is told, and the relay goes on with the new tokens."""
    async with desk_of() as it:
        asked = it.desk.begin()
        waiting = asyncio.create_task(it.desk.wait(asked.id, LIFE_MS))
        assert await it.desk.arrive(it.back(asked.address)) is ConsentState.DONE
        assert await waiting == (ConsentState.DONE, "")
        assert it.done == ["done"]
        assert it.scene.crm.oauth.opens(await it.scene.tokens.token())


async def test_a_state_is_good_once() -> None:
    """A second arrival, even while the first is being dealt with, is a stranger's."""
    async with desk_of() as it:
        asked = it.desk.begin()
        first, second = it.back(asked.address), it.back(asked.address)
        both = await asyncio.gather(it.desk.arrive(first), it.desk.arrive(second))
        assert list(both) == [ConsentState.DONE, ConsentState.WAITING]
        assert await it.desk.arrive(second) is ConsentState.WAITING
        assert it.scene.exchanges() == 1


@pytest.mark.parametrize("state", ["", "x", "ключ", "\udc80"])
async def test_a_strangers_state_spends_nothing(state: str) -> None:
    """The address is open to the world: what comes without our state is refused and changes
    nothing, and is told in the log once a minute at most.
    """
    async with desk_of() as it:
        asked = it.desk.begin()
        with capture_logs() as logs:
            for _ in range(5):
                stranger = it.back(asked.address, state=state)
                assert await it.desk.arrive(stranger) is ConsentState.WAITING
        assert len(logs) == 1
        assert it.scene.exchanges() == 0
        assert await it.desk.arrive(it.back(asked.address)) is ConsentState.DONE


async def test_nobody_asked() -> None:
    """An installation from the marketplace comes here too, without our asking."""
    async with desk_of() as it:
        assert await it.desk.arrive({"code": "x", "from_widget": "1"}) is ConsentState.WAITING


async def test_a_refusal_is_told() -> None:
    """An administrator who says no ends the asking."""
    async with desk_of() as it:
        asked = it.desk.begin()
        back = it.back(asked.address, error="access_denied")
        assert await it.desk.arrive(back) is ConsentState.FAILED
        assert await it.desk.wait(asked.id, 0) == (
            ConsentState.FAILED,
            "the administrator did not consent",
        )
        assert not it.done


async def test_the_consent_of_another_account_is_refused() -> None:
    """Its code is not even exchanged."""
    async with desk_of() as it:
        asked = it.desk.begin()
        back = it.back(asked.address, referer="other.amocrm.ru")
        assert await it.desk.arrive(back) is ConsentState.FAILED
        _, reason = await it.desk.wait(asked.id, 0)
        assert "other.amocrm.ru" in reason
        assert it.scene.exchanges() == 0


@pytest.mark.parametrize("trouble", [Answer(500), Answer(400), Answer(200, b"{}")])
async def test_trouble_at_amocrm_is_told(trouble: Answer) -> None:
    """Whoever waits learns what went wrong, and may begin anew."""
    async with desk_of() as it:
        asked = it.desk.begin()
        it.scene.crm.faults.add(trouble, "oauth_token", times=1)
        assert await it.desk.arrive(it.back(asked.address)) is ConsentState.FAILED
        standing, reason = await it.desk.wait(asked.id, 0)
        assert standing is ConsentState.FAILED
        assert reason
        again = it.desk.begin()
        assert await it.desk.arrive(it.back(again.address)) is ConsentState.DONE


async def test_a_full_disk_is_told() -> None:
    """The reason names it, and no code is spent."""
    async with desk_of() as it:
        it.scene.disk.full = True
        asked = it.desk.begin()
        assert await it.desk.arrive(it.back(asked.address)) is ConsentState.FAILED
        assert "No space" in (await it.desk.wait(asked.id, 0))[1]
        assert it.scene.exchanges() == 0


async def test_twenty_minutes_are_enough() -> None:
    """Then the address is not in force any more, and whoever waits is told."""
    async with desk_of() as it:
        asked = it.desk.begin()
        waiting = asyncio.create_task(it.desk.wait(asked.id, LIFE_MS))
        await it.scene.clock.advance_ms(LIFE_MS)
        standing, reason = await waiting
        assert standing is ConsentState.FAILED
        assert "twenty minutes" in reason
        assert await it.desk.arrive(it.back(asked.address)) is ConsentState.WAITING


async def test_a_newer_asking_ends_the_older() -> None:
    """Two administrators do not wait for one another's answer."""
    async with desk_of() as it:
        older, newer = it.desk.begin(), it.desk.begin()
        assert (await it.desk.wait(older.id, 0))[0] is ConsentState.FAILED
        assert await it.desk.arrive(it.back(older.address)) is ConsentState.WAITING
        assert await it.desk.arrive(it.back(newer.address)) is ConsentState.DONE
        assert (await it.desk.wait(newer.id, 0))[0] is ConsentState.DONE


async def test_a_file_without_oauth_has_nothing_to_ask_for() -> None:
    """And says so."""
    async with desk_of() as it:
        held = CredentialsHolder(Credentials("c", "s", "t"))
        desk = ConsentDesk(it.scene.tokens, it.scene.crm.url, held, it.scene.clock, lambda: None)
        with pytest.raises(RefusedError, match=r"no amocrm\.oauth"):
            desk.begin()


async def test_the_state_is_not_shown() -> None:
    """Whoever reads a log must not be able to answer in the administrator's place."""
    async with desk_of() as it:
        asked = it.desk.begin()
        assert asked.state not in repr(asked).replace(asked.address, "")
        assert len(asked.state) >= 32
