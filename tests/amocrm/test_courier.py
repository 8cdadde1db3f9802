"""The courier: what it sends for each letter, and what it makes of the answers."""

from __future__ import annotations

import asyncio
import json
from contextlib import AsyncExitStack
from dataclasses import replace

import pytest
from structlog.testing import capture_logs

from relay.amocrm.alarm import Credential, CredentialsAlarm
from relay.amocrm.answers import Answer
from relay.amocrm.client import ChatsClient
from relay.amocrm.courier import ChatsCourier
from relay.amocrm.credentials import CredentialsHolder
from relay.amocrm.errors import UnreachableError
from relay.amocrm.protocol import Call, Request
from relay.amocrm.wire import Wire
from relay.delivery.ports import Courier
from relay.delivery.store import StoreRefusedError
from relay.domain.bodies import (
    Body,
    Known,
    NewMessage,
    PhoneRewrite,
    Reaction,
    Reply,
    Revision,
    StatusUpdate,
)
from relay.domain.contents import Text, Unsupported
from relay.domain.ids import ChannelId, ClientAddress, MessageId, OwnNumber
from relay.domain.message import Origin, Status
from relay.domain.outbox import Dead, Delivered, Outcome, Retry
from relay.domain.settings import Language
from tests.amocrm.doubles import (
    ACCEPTED,
    BOT,
    CHAT,
    CONVERSATION,
    CRM_MESSAGE,
    IVAN,
    TOLD_CHAT,
    FakeScope,
    HandClock,
    binding,
    credentials,
    entry,
    holder,
    message,
    read_status,
)
from tests.amocrm.servers import fake_host, raw_host
from tests.amocrm.test_protocol import SOURCED

REPLY = Reply(
    CONVERSATION, CRM_MESSAGE, ChannelId("sales"), OwnNumber("1"), IVAN.address, Text("hello")
)


class ScriptedClient:
    """Keeps what is posted and gives the next answer, or raises it."""

    def __init__(self, *answers: Answer | BaseException) -> None:
        self._answers = list(answers)
        self.posted: list[Request] = []

    async def post(self, request: Request) -> Answer:
        self.posted.append(request)
        answer = self._answers.pop(0)
        if isinstance(answer, BaseException):
            raise answer
        return answer


class Scene:
    """A courier among its doubles."""

    def __init__(self, *answers: Answer | BaseException) -> None:
        self.client = ScriptedClient(*answers)
        self.scope = FakeScope()
        self.held = holder()
        self.alarm = CredentialsAlarm(HandClock())
        self.language = Language.RU
        self.wishes: list[PhoneRewrite] = []
        self.pictures: dict[str, str] = {}
        self.looked_for: list[str] = []
        self.courier: Courier = ChatsCourier(
            client=self.client,
            connection=self.scope,
            credentials=self.held,
            alarm=self.alarm,
            language=lambda: self.language,
            link=str,
            rewrite_phones=self.rewrite,
            avatar=self.avatar,
        )

    async def rewrite(self, wish: PhoneRewrite) -> Outcome:
        self.wishes.append(wish)
        return Delivered()

    async def avatar(self, channel: ChannelId, client: ClientAddress) -> str | None:
        self.looked_for.append(f"{channel}/{client}")
        return self.pictures.get(client)

    async def deliver(self, body: Body) -> Outcome:
        return await self.courier.deliver(entry(body))

    async def deliver_through(self, body: NewMessage, *, opens: bool = True) -> Outcome:
        """A message that came through a channel, and may open its chat or not."""
        opening = entry(replace(body, opens=opens))
        letter = replace(opening.letter, channel=ChannelId("sales"))
        return await self.courier.deliver(replace(opening, letter=letter))

    def parties(self) -> list[dict[str, object]]:
        """The client of each message that was posted."""
        payloads = [json.loads(posted.body)["payload"] for posted in self.client.posted]
        return [payload.get("receiver") or payload["sender"] for payload in payloads]


async def test_message_is_delivered_with_its_reference() -> None:
    """A message is posted as vector 2, and amoCRM's id of it is the reference."""
    scene = Scene(Answer(200, ACCEPTED))
    assert await scene.deliver(message()) == Delivered(CRM_MESSAGE, TOLD_CHAT)
    assert [(r.call, r.body) for r in scene.client.posted] == [(Call.MESSAGE, SOURCED)]


async def test_every_attempt_sends_the_same_bytes() -> None:
    """Retries of one entry repeat its request to the byte, so its ``msgid`` tells them."""
    scene = Scene(UnreachableError("no answer"), Answer(500, b""), Answer(200, ACCEPTED))
    same = entry(binding(message()))
    outcomes = [await scene.courier.deliver(same) for _ in range(3)]
    assert [type(outcome) for outcome in outcomes] == [Retry, Retry, Delivered]
    assert len(set(scene.client.posted)) == 1
    assert scene.courier.repeatable


async def test_a_message_that_opens_a_chat_brings_the_clients_picture() -> None:
    """Its link, whoever wrote the message: amoCRM makes the client's card with it."""
    scene = Scene(Answer(200, ACCEPTED), Answer(200, ACCEPTED))
    scene.held.current = credentials(bot_id=BOT)
    scene.pictures[IVAN.address] = "picture.jpg"
    await scene.deliver_through(message())
    await scene.deliver_through(message(origin=Origin.PHONE))
    assert [party["avatar"] for party in scene.parties()] == ["picture.jpg"] * 2
    assert scene.looked_for == [f"sales/{IVAN.address}"] * 2


async def test_no_picture_is_no_field() -> None:
    """Nor is one looked for when amoCRM knows the chat."""
    scene = Scene(Answer(200, ACCEPTED), Answer(200, ACCEPTED))
    await scene.deliver_through(message())
    await scene.deliver_through(message(), opens=False)
    assert ["avatar" in party for party in scene.parties()] == [False, False]
    assert len(scene.looked_for) == 1


async def test_what_is_posted_once_more_in_another_form_keeps_the_picture() -> None:
    """Without amoCRM's own ids, without what it quotes: the picture stays."""
    refusal = Answer(400, b'{"error_description":"no such chat"}')
    scene = Scene(refusal, Answer(200, ACCEPTED), refusal, Answer(200, ACCEPTED))
    scene.pictures[IVAN.address] = "picture.jpg"
    await scene.deliver_through(binding(message()))
    await scene.deliver_through(replace(message(), quotes=Known(MessageId("wa-1"))))
    assert [party["avatar"] for party in scene.parties()] == ["picture.jpg"] * 4


async def test_unbound_chat_is_bound() -> None:
    """A message in a chat that amoCRM began carries amoCRM's ids."""
    scene = Scene(Answer(200, ACCEPTED))
    await scene.deliver(binding(message()))
    assert json.loads(scene.client.posted[0].body)["payload"]["conversation_ref_id"] == CHAT


async def test_a_message_is_not_lost_over_a_chat_that_cannot_be_bound() -> None:
    """Refused with amoCRM's own ids, it goes once more without them, under the same ``msgid``."""
    scene = Scene(Answer(400, b'{"error_description":"no such chat"}'), Answer(200, ACCEPTED))
    assert isinstance(await scene.deliver(binding(message())), Delivered)
    first, second = (json.loads(posted.body)["payload"] for posted in scene.client.posted)
    assert "conversation_ref_id" in first
    assert "conversation_ref_id" not in second
    assert "ref_id" not in second["sender"]
    assert first["msgid"] == second["msgid"]


async def test_what_is_refused_for_another_reason_is_refused_once() -> None:
    """Without ids to leave out there is nothing to try; nor after a second refusal."""
    refusal = Answer(400, b"no")
    scene = Scene(refusal)
    assert isinstance(await scene.deliver(message()), Dead)
    scene = Scene(refusal, refusal)
    assert isinstance(await scene.deliver(binding(message())), Dead)


async def test_a_quote_that_amocrm_refuses_is_left_out() -> None:
    """The words matter more than what they answer: the message goes without."""
    scene = Scene(Answer(400, b'{"error":"reply_to"}'), Answer(200, ACCEPTED))
    quoting = replace(message(), quotes=Known(MessageId("wa-1-Q")))
    assert await scene.deliver(quoting) == Delivered(CRM_MESSAGE, TOLD_CHAT)
    first, second = (json.loads(request.body)["payload"] for request in scene.client.posted)
    assert first.pop("reply_to") == {"message": {"msgid": "wa-1-Q"}}
    assert first == second


async def test_an_edit_names_the_message_once() -> None:
    """By amoCRM's id if it is known, else by ours: both would give it another id."""
    scene = Scene(Answer(200, b"{}"), Answer(200, b""))
    revision = Revision(CONVERSATION, Known(MessageId("wa-1-A")), Text("new"), 1_000, ("[x]",))
    assert await scene.deliver(revision) == Delivered()
    told = replace(revision, message=Known(MessageId("wa-1-A"), CRM_MESSAGE))
    assert await scene.deliver(told) == Delivered()
    ours, theirs = (json.loads(request.body) for request in scene.client.posted)
    assert ours == {
        "event_type": "edit_message",
        "payload": {
            "timestamp": 1,
            "msec_timestamp": 1_000,
            "msgid": "wa-1-A",
            "conversation_id": CONVERSATION,
            "message": {"type": "text", "text": "[x] new"},
        },
    }
    assert theirs["payload"]["id"] == CRM_MESSAGE
    assert "msgid" not in theirs["payload"]


@pytest.mark.parametrize(
    ("emoji", "origin", "rest"),
    [
        ("👍", Origin.CLIENT, {"user": {"id": "wa-79991234567"}, "type": "react", "emoji": "👍"}),
        ("", Origin.CLIENT, {"user": {"id": "wa-79991234567"}, "type": "unreact"}),
        ("👍", Origin.PHONE, {"user": {"ref_id": BOT}, "type": "react", "emoji": "👍"}),
    ],
)
async def test_reactions(emoji: str, origin: Origin, rest: dict[str, object]) -> None:
    """In the client's name, or in the bot's for what the phone does."""
    scene = Scene(Answer(200, b""))
    scene.held.current = credentials(bot_id=BOT)
    known = Known(MessageId("wa-1-A"), CRM_MESSAGE)
    assert await scene.deliver(Reaction(CONVERSATION, known, IVAN, origin, emoji)) == Delivered()
    [request] = scene.client.posted
    assert request.path.endswith("/react")
    assert json.loads(request.body) == {
        "conversation_id": CONVERSATION, "id": CRM_MESSAGE, **rest,
    }  # fmt: skip


async def test_a_reaction_to_what_amocrm_does_not_know_is_dead() -> None:
    """404 there speaks of the message, not of our channel."""
    scene = Scene(Answer(404, b"{}"))
    known = Known(MessageId("wa-1-A"))
    outcome = await scene.deliver(Reaction(CONVERSATION, known, IVAN, Origin.CLIENT, "👍"))
    assert isinstance(outcome, Dead)
    assert scene.scope.wishes == 0


async def test_status_needs_no_conversation() -> None:
    """A status is told by amoCRM's id alone."""
    scene = Scene(Answer(200, b""))
    assert await scene.deliver(read_status()) == Delivered()
    assert scene.client.posted[0].body == b'{"status_code":2}'


async def test_sent_is_delivered_without_a_post() -> None:
    """For "sent" there is nothing to tell."""
    scene = Scene()
    assert await scene.deliver(StatusUpdate(CRM_MESSAGE, Status.SENT)) == Delivered()
    assert scene.client.posted == []


async def test_scope_unknown_waits_a_little() -> None:
    """Before the account is known nothing is posted, and it looks again in a second."""
    scene = Scene()
    scene.scope.known = None
    outcome = await scene.deliver(message())
    assert isinstance(outcome, Retry)
    assert outcome.after_ms == 1000
    assert scene.client.posted == []


async def test_language_is_that_of_the_moment() -> None:
    """A reloaded language shows in the next placeholder."""
    scene = Scene(Answer(200, ACCEPTED), Answer(200, ACCEPTED))
    await scene.deliver(message(Unsupported("poll")))
    scene.language = Language.EN
    await scene.deliver(message(Unsupported("poll")))
    texts = [json.loads(r.body)["payload"]["message"]["text"] for r in scene.client.posted]
    assert ["опрос" in texts[0], "poll" in texts[1]] == [True, True]


async def test_phone_message_with_bot_and_without() -> None:
    """A message from the phone goes in the bot's name, and dies with a reason without a bot."""
    scene = Scene(Answer(200, ACCEPTED))
    outcome = await scene.deliver(message(origin=Origin.PHONE))
    assert isinstance(outcome, Dead)
    assert "chats.bot_id" in outcome.reason
    scene.held.current = credentials(bot_id=BOT)
    assert await scene.deliver(message(origin=Origin.PHONE)) == Delivered(CRM_MESSAGE, TOLD_CHAT)


async def test_bad_signature_is_one_alarm() -> None:
    """However many letters are refused for our signature, they wait, and one line says why."""
    refused = Answer(403, b'{"error_description":"bad signature"}')
    scene = Scene(refused, refused, refused, Answer(200, ACCEPTED))
    with capture_logs() as logs:
        for _ in range(3):
            assert isinstance(await scene.deliver(message()), Retry)
        standing = [refusal.credential for refusal in scene.alarm.standing]
        await scene.deliver(message())
    assert standing == [Credential.CHANNEL]
    assert list(scene.alarm.standing) == []
    assert [log["event"] for log in logs] == ["credentials_refused", "credentials_accepted"]


async def test_unknown_channel_is_connected_again() -> None:
    """A 404 for a message asks for a new connect; the letter waits its turn."""
    scene = Scene(Answer(404, b""))
    assert isinstance(await scene.deliver(message()), Retry)
    assert scene.scope.wishes == 1
    assert not scene.alarm.standing


async def test_status_of_an_unknown_message_is_dead() -> None:
    """A 404 for a status is final and no reason to reconnect."""
    scene = Scene(Answer(404, b""))
    assert isinstance(await scene.deliver(read_status()), Dead)
    assert scene.scope.wishes == 0


async def test_told_wait_is_passed_on() -> None:
    """When amoCRM says when to come back, the letter comes back then."""
    scene = Scene(Answer(429, b"", None, "9"))
    outcome = await scene.deliver(message())
    assert isinstance(outcome, Retry)
    assert outcome.after_ms == 9000


async def test_reason_and_log_hold_no_message_text() -> None:
    """An answer that quotes the client does not bring him into a reason or a log."""
    echo = Answer(400, b'{"error":"cannot take ' + "Тайное слово".encode() + b' of 79991234567"}')
    scene = Scene(echo)
    with capture_logs() as logs:
        outcome = await scene.deliver(message(Text("Тайное слово")))
    assert isinstance(outcome, Dead)
    for private in ("Тайное", "9991234567"):
        assert private not in outcome.reason + str(logs)


@pytest.mark.parametrize(
    "trouble", [UnreachableError("gone"), StoreRefusedError("full"), RuntimeError("Привет!")]
)
async def test_trouble_is_retry(trouble: Exception) -> None:
    """Whatever goes wrong on the way, the port's promise holds: an outcome, never an exception."""
    scene = Scene(trouble)
    with capture_logs() as logs:
        outcome = await scene.deliver(message())
    assert isinstance(outcome, Retry)
    assert "Привет" not in outcome.reason + str(logs)


async def test_cancellation_goes_through() -> None:
    """A cancelled attempt is cancelled, not an outcome."""
    scene = Scene(asyncio.CancelledError())
    with pytest.raises(asyncio.CancelledError):
        await scene.deliver(message())


async def test_reply_is_not_for_amocrm() -> None:
    """A letter of the other direction is dead, not posted."""
    scene = Scene()
    assert isinstance(await scene.deliver(REPLY), Dead)
    assert scene.client.posted == []


async def never(_: PhoneRewrite) -> Outcome:
    raise AssertionError("no card is asked for here")


async def nobody(channel: ChannelId, client: ClientAddress) -> str | None:
    raise AssertionError("no picture is asked for here")


async def test_a_card_goes_another_way() -> None:
    """What is asked of a card goes to whoever keeps cards, and nothing is posted to the chats."""
    scene = Scene()
    wish = PhoneRewrite(CONVERSATION)
    assert await scene.deliver(wish) == Delivered()
    assert (scene.wishes, scene.client.posted) == ([wish], [])


async def test_over_the_wire() -> None:
    """With the real client and a real server: delivered, refused, and gone."""
    clock = HandClock()
    alarm = CredentialsAlarm(clock)
    held = CredentialsHolder(credentials())

    async with AsyncExitStack() as wires:

        async def courier(url: str) -> Courier:
            wire = await wires.enter_async_context(Wire(url))
            client = ChatsClient(wire, held, clock, alarm, timeout_s=5)
            return ChatsCourier(
                client=client,
                connection=FakeScope(),
                credentials=held,
                alarm=alarm,
                language=lambda: Language.RU,
                link=str,
                rewrite_phones=never,
                avatar=nobody,
            )

        async with fake_host() as host:
            host.say(200, ACCEPTED)
            assert await (await courier(host.url)).deliver(entry(message())) == Delivered(
                CRM_MESSAGE, TOLD_CHAT
            )
            assert host.seen[0].body == SOURCED
            host.say(200, b"<html>Wi-Fi login</html>")
            assert isinstance(await (await courier(host.url)).deliver(entry(message())), Retry)
        async with raw_host(b"", reset=True) as url:
            assert isinstance(await (await courier(url)).deliver(entry(message())), Retry)
