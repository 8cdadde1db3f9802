"""Tokens of a consent: renewed once, in time, and kept before anything else."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

import pytest
from structlog.testing import capture_logs

from relay.amocrm.alarm import Credential, CredentialsAlarm
from relay.amocrm.client import open_session
from relay.amocrm.credentials import CredentialsHolder, OAuthClient
from relay.amocrm.errors import RefusedError, UnreachableError
from relay.amocrm.rest.client import RestClient
from relay.amocrm.rest.oauth import Grant
from relay.amocrm.rest.renewal import FIRST_PAUSE_MS, OAuthTokens
from relay.delivery.forms import read_form
from relay.demo.pretended_amocrm import Answer, Lie, PretendedAmoCRM, Slow
from relay.domain.retry import DAY, HOUR, MINUTE
from tests.amocrm.doubles import credentials
from tests.clock import HandClock, settle

REDIRECT = "https://relay.example.com/amocrm/oauth"


@dataclass
class Disk:
    """What is kept, all that ever was, and whether it takes more."""

    kept: bytes | None = None
    written: list[Grant] = field(default_factory=list)
    full: bool = False
    full_after: int | None = None

    def keep(self, content: bytes) -> None:
        if self.full_after is not None:
            self.full, self.full_after = self.full_after == 0, max(self.full_after - 1, 0)
        if self.full:
            raise OSError(28, "No space left on device")
        self.kept = content
        if content:
            self.written.append(read_form(Grant, content))


@dataclass
class Scene:
    """Tokens among an amoCRM, a disk and a clock; ``again`` is the next process."""

    crm: PretendedAmoCRM
    disk: Disk
    clock: HandClock
    held: CredentialsHolder
    build: object
    tokens: OAuthTokens
    alarm: CredentialsAlarm

    def again(self) -> None:
        self.alarm = CredentialsAlarm(self.clock)
        self.tokens = self.build(self.alarm)  # type: ignore[operator]  # builds the tokens

    async def consent(self) -> None:
        """An administrator has consented, and the code is turned into tokens."""
        code = self.crm.oauth.give_code()
        await self.tokens.obtain(code)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self.tokens.run())
        await settle()
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def until_renewed(self, count: int) -> None:
        await self.crm.wait_for(lambda it: len(it.oauth.grants) == count)
        await self.tokens.finish()

    def exchanges(self) -> int:
        return sum(seen.endpoint == "oauth_token" for seen in self.crm.requests)


@asynccontextmanager
async def scene_of() -> AsyncIterator[Scene]:
    clock, disk = HandClock(), Disk()
    async with PretendedAmoCRM(now_ms=clock.now_ms) as crm, open_session() as session:
        crm.oauth.redirect_uri = REDIRECT
        identity = crm.identity
        client = OAuthClient(identity.integration_id, identity.integration_secret, REDIRECT)
        held = CredentialsHolder(replace(credentials(token=""), oauth=client))

        def build(alarm: CredentialsAlarm) -> OAuthTokens:
            return OAuthTokens(
                session, crm.url, held, clock=clock, alarm=alarm, keep=disk.keep, kept=disk.kept
            )

        alarm = CredentialsAlarm(clock)
        yield Scene(crm, disk, clock, held, build, build(alarm), alarm)


async def test_without_consent_there_is_no_token() -> None:
    """And the error says what to run."""
    async with scene_of() as scene:
        assert scene.tokens.grant == ""
        with pytest.raises(RefusedError, match="relay authorize"):
            await scene.tokens.token()


async def test_a_code_becomes_tokens_that_are_kept() -> None:
    """They open the account, and the next process has them without asking."""
    async with scene_of() as scene:
        await scene.consent()
        token, grant = await scene.tokens.token(), scene.tokens.grant
        assert scene.crm.oauth.opens(token)
        scene.again()
        assert (await scene.tokens.token(), scene.tokens.grant) == (token, grant)
        assert scene.exchanges() == 1


async def test_a_code_that_is_not_taken_leaves_the_old_tokens() -> None:
    """A wrong or late code is told, and changes nothing."""
    async with scene_of() as scene:
        await scene.consent()
        before = scene.disk.kept
        with pytest.raises(RefusedError, match="400"):
            await scene.tokens.obtain("made up")
        assert scene.disk.kept == before


async def test_a_full_disk_is_found_before_a_code_is_spent() -> None:
    """The code may be tried again once there is room."""
    async with scene_of() as scene:
        scene.disk.full = True
        with pytest.raises(OSError, match="No space"):
            await scene.consent()
        assert scene.exchanges() == 0


async def test_tokens_are_renewed_at_half_their_life() -> None:
    """Twelve hours ahead of the end, again and again; the consent stays the same."""
    async with scene_of() as scene:
        await scene.consent()
        grant = scene.tokens.grant
        async with scene.running():
            await scene.clock.advance_ms(12 * HOUR - 1)
            assert len(scene.crm.oauth.grants) == 1
            for count in (2, 3, 4):
                await scene.clock.advance_ms(12 * HOUR)
                await scene.until_renewed(count)
        assert scene.crm.oauth.opens(await scene.tokens.token())
        assert scene.tokens.grant == grant
        assert not scene.crm.violations


async def test_an_expired_token_is_renewed_when_it_is_wanted() -> None:
    """By one refresher, however many want it at once."""
    async with scene_of() as scene:
        await scene.consent()
        scene.again()
        await scene.clock.advance_ms(DAY)
        tokens = await asyncio.gather(*(scene.tokens.token() for _ in range(20)))
        assert set(tokens) == {scene.crm.oauth.grants[-1].access}
        assert scene.exchanges() == 2


async def test_a_refused_token_is_renewed_once() -> None:
    """All whose token was refused go on with one new one."""
    async with scene_of() as scene:
        await scene.consent()
        old = await scene.tokens.token()
        await scene.clock.advance_ms(2 * MINUTE)
        assert all(await asyncio.gather(*(scene.tokens.refused(old) for _ in range(20))))
        assert len(scene.crm.oauth.grants) == 2


async def test_a_fresh_token_that_is_refused_is_not_the_tokens_fault() -> None:
    """An integration that is off answers 401 to all: refreshing would spend tokens for nothing."""
    async with scene_of() as scene:
        await scene.consent()
        assert not await scene.tokens.refused(await scene.tokens.token())
        assert scene.exchanges() == 1


async def test_the_intent_is_kept_before_amocrm_is_asked() -> None:
    """Old tokens with the intent first, then the new ones without it."""
    async with scene_of() as scene:
        await scene.consent()
        first = scene.disk.written[-1]
        await scene.clock.advance_ms(DAY)
        now_ms = scene.clock.now_ms()
        await scene.tokens.token()
        intent, new = scene.disk.written[-2:]
        assert intent == replace(first, renewing_ms=now_ms)
        assert (new.renewing_ms, new.refresh) == (None, scene.crm.oauth.grants[-1].refresh)


async def test_killed_before_amocrm_heard_it() -> None:
    """The intent is found, the refresh token is good still, and nobody needs to know."""
    async with scene_of() as scene:
        await scene.consent()
        await scene.clock.advance_ms(DAY)
        scene.crm.faults.add(Answer(502), "oauth_token", times=1)
        with pytest.raises(UnreachableError):
            await scene.tokens.token()
        scene.again()
        assert scene.crm.oauth.opens(await scene.tokens.token())
        assert not scene.alarm.standing


async def test_killed_between_answer_and_commit() -> None:
    """The new tokens are lost: the operator is told at once, the old access token goes on."""
    async with scene_of() as scene:
        await scene.consent()
        scene.crm.oauth.old_access_lives = True
        old = await scene.tokens.token()
        await scene.clock.advance_ms(12 * HOUR)
        scene.crm.faults.add(Lie(), "oauth_token", times=1)
        with pytest.raises(UnreachableError):
            await scene.tokens.refused(old)
        scene.again()
        async with scene.running():
            await scene.crm.wait_for(lambda _: bool(scene.alarm.standing))
            [refusal] = scene.alarm.standing
            assert refusal.credential is Credential.OAUTH
            assert "earlier renewal" in refusal.reason
            assert "relay authorize" in refusal.reason
            assert await scene.tokens.token() == old
            await scene.clock.advance_ms(11 * HOUR)
            assert scene.exchanges() == 3  # the consent, the one cut off, the one refused
            await scene.consent()
            assert not scene.alarm.standing
            assert await scene.tokens.token() != old


async def test_a_revoked_consent_is_an_alarm_and_asked_no_more() -> None:
    """Whoever wants a token then is told what to run."""
    async with scene_of() as scene:
        await scene.consent()
        scene.crm.oauth.revoke()
        await scene.clock.advance_ms(DAY)
        for _ in range(3):
            with pytest.raises(RefusedError, match="relay authorize"):
                await scene.tokens.token()
        assert [refusal.credential for refusal in scene.alarm.standing] == [Credential.OAUTH]
        assert scene.exchanges() == 2


async def test_a_corrected_secret_is_tried() -> None:
    """A wrong client secret looks like a spent token; the right one finds that it is not."""
    async with scene_of() as scene:
        await scene.consent()
        right = scene.held.current
        assert right.oauth is not None
        scene.held.current = replace(right, oauth=replace(right.oauth, secret="wrong"))
        await scene.clock.advance_ms(DAY)
        with pytest.raises(RefusedError):
            await scene.tokens.token()
        scene.held.current = right
        assert scene.crm.oauth.opens(await scene.tokens.token())
        assert not scene.alarm.standing


@pytest.mark.parametrize(
    "body",
    [
        b"{}",
        b"<html>",
        b'{"access_token":"a\\nb","refresh_token":"r","expires_in":1}',
        b'{"access_token":"\\ud800","refresh_token":"r","expires_in":1}',
        b'{"access_token":"","refresh_token":"r","expires_in":1}',
        b'{"access_token":"a","refresh_token":"r","expires_in":0}',
        b'{"access_token":"a","refresh_token":"r","expires_in":1e9}',
    ],
)
async def test_an_answer_without_tokens_is_none(body: bytes) -> None:
    """What a proxy says in amoCRM's place is not kept, and the old tokens stay."""
    async with scene_of() as scene:
        await scene.consent()
        old = scene.disk.written[-1]
        await scene.clock.advance_ms(DAY)
        scene.crm.faults.add(Answer(200, body), "oauth_token", times=1)
        with pytest.raises(UnreachableError, match="no tokens"):
            await scene.tokens.token()
        assert scene.disk.written[-1].refresh == old.refresh
        assert scene.crm.oauth.opens(await scene.tokens.token())


async def test_another_integration_needs_its_own_consent() -> None:
    """Tokens of the integration that stood in the file before are not shown to another."""
    async with scene_of() as scene:
        await scene.consent()
        other = OAuthClient("33333333-3333-4444-8555-666666666666", "s", REDIRECT)
        scene.held.current = replace(scene.held.current, oauth=other)
        with pytest.raises(RefusedError, match="relay authorize"):
            await scene.tokens.token()


async def test_a_failing_amocrm_is_asked_again_with_growing_pauses() -> None:
    """From half the life on, for as long as it takes."""
    async with scene_of() as scene:
        await scene.consent()
        scene.crm.faults.add(Answer(503), "oauth_token")
        async with scene.running():
            await scene.clock.advance_ms(12 * HOUR)
            for times in (2, 3, 4):
                await scene.crm.wait_for(lambda _, n=times: scene.exchanges() == n)  # type: ignore[misc]  # binds the count
                await scene.tokens.finish()
                await scene.clock.advance_ms(FIRST_PAUSE_MS << (times - 2))
            scene.crm.faults.clear()
            await scene.clock.advance_ms(HOUR)
            await scene.until_renewed(2)


async def test_a_disk_that_is_full_before_spends_nothing() -> None:
    """What could not be kept is not asked for."""
    async with scene_of() as scene:
        await scene.consent()
        await scene.clock.advance_ms(DAY)
        scene.disk.full = True
        with pytest.raises(UnreachableError, match="No space"):
            await scene.tokens.token()
        assert scene.exchanges() == 1


async def test_a_disk_that_fills_up_meanwhile_is_tried_again() -> None:
    """The new tokens act, and are written down as soon as there is room."""
    async with scene_of() as scene:
        await scene.consent()
        await scene.clock.advance_ms(DAY)
        scene.disk.full_after = 1  # the intent, and no more
        with capture_logs() as logs:
            token = await scene.tokens.token()
        assert scene.crm.oauth.opens(token)
        assert "tokens_not_kept" in [line["event"] for line in logs]
        scene.disk.full_after, scene.disk.full = None, False
        async with scene.running():
            await scene.clock.advance_ms(HOUR)
        scene.again()
        assert await scene.tokens.token() == token


@pytest.mark.parametrize("kept", [b"", b"{}", b"nonsense", b"\xff"])
async def test_what_cannot_be_read_is_no_consent(kept: bytes) -> None:
    """A damaged file does not stop the relay; it asks for consent."""
    async with scene_of() as scene:
        scene.disk.kept = kept
        scene.again()
        with pytest.raises(RefusedError, match="relay authorize"):
            await scene.tokens.token()


async def test_a_stop_waits_for_the_renewal_under_way() -> None:
    """So that no new token is lost to an orderly stop."""
    async with scene_of() as scene:
        await scene.consent()
        await scene.clock.advance_ms(DAY)
        gate = asyncio.Event()
        scene.crm.faults.add(Slow(until=gate), "oauth_token", times=1)
        wanting = asyncio.create_task(scene.tokens.token())
        await scene.crm.wait_for(lambda it: it.faults.hits("oauth_token") == 1)
        finishing = asyncio.create_task(scene.tokens.finish())
        await settle()
        assert not finishing.done()
        gate.set()
        await finishing
        assert scene.disk.written[-1].refresh == scene.crm.oauth.grants[-1].refresh
        await wanting


async def test_no_token_or_secret_is_shown() -> None:
    """Neither in the log, nor by printing what holds them."""
    with capture_logs() as logs:
        async with scene_of() as scene:
            await scene.consent()
            await scene.clock.advance_ms(DAY)
            await scene.tokens.token()
            shown = repr(scene.disk.written) + repr(scene.held) + str(logs)
            secret = [text for g in scene.crm.oauth.grants for text in (g.access, g.refresh)]
    assert not [text for text in (*secret, scene.crm.identity.integration_secret) if text in shown]


async def test_the_client_goes_on_with_the_new_token() -> None:
    """A call that finds its token ended renews it and succeeds."""
    async with scene_of() as scene, open_session() as session:
        await scene.consent()
        await scene.clock.advance_ms(DAY)
        rest = RestClient(session, scene.crm.url, scene.tokens, scene.clock, scene.alarm)
        assert (await rest.call("GET", "account"))["id"] == scene.crm.identity.account_id
        assert not scene.crm.violations
