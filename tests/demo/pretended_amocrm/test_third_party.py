"""The pretended amoCRM is what others take for amoCRM: a published client works against it.

The client (amojowrapper) knows https hosts only, so its base address is replaced; nothing else.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from amojowrapper.actions.channel.action import ChannelAction
from amojowrapper.actions.chat.action import ChatAction
from amojowrapper.actions.delivery.action import DeliveryStatusAction
from amojowrapper.actions.history.action import HistoryAction
from amojowrapper.actions.message.action import MessageAction
from amojowrapper.actions.react.action import ReactAction
from amojowrapper.actions.typing.action import TypingAction
from amojowrapper.client import AmojoClient
from amojowrapper.validators.webhook import WebhookValidator

from relay.demo.pretended_amocrm import OLGA, PretendedAmoCRM, Quirks
from tests.demo.pretended_amocrm.peers import Receiver, receiving

CONVERSATION = "wa-79991234567"
INCOMING = {
    "conversation_id": CONVERSATION,
    "sender_id": CONVERSATION,
    "sender_name": "Иван",
    "sender_profile_phone": "+79991234567",
    "message_type": "text",
    "message_text": "Привет",
}


def client_of(server: PretendedAmoCRM, secret: str | None = None) -> Any:
    """The third party's client, sent to `server`; its secret may be a wrong one."""
    client = AmojoClient(
        channel_secret=secret or server.identity.channel_secret,
        channel_id=server.identity.channel_id,
        referer="example.amocrm.ru",
        amojo_account_token=server.identity.amojo_id,
    )
    client.amojo_base_url = server.url
    return client


async def done(act: Callable[..., Any], **how: object) -> Any:
    """The result of a call of the client, which blocks."""
    return await asyncio.to_thread(act, **how)


@pytest.fixture
async def live() -> AsyncIterator[PretendedAmoCRM]:
    """A server with the real clock: the client takes the time from the machine."""
    async with PretendedAmoCRM() as server:
        yield server


async def test_it_connects(live: PretendedAmoCRM) -> None:
    """Its connect is accepted, and it can read the answer."""
    answer = await done(ChannelAction(client_of(live)).connect, title="WA")
    assert (answer.scope_id, answer.hook_api_version) == (live.account.scope_id, "v2")
    assert live.violations == []


async def test_a_conversation_is_accepted(live: PretendedAmoCRM) -> None:
    """Connect, message, edit, status, typing, reaction, chat, history, disconnect: all accepted."""
    client = client_of(live)
    await done(ChannelAction(client).connect)
    sent = await done(MessageAction(client).send, msgid="m-1", **INCOMING)
    [message] = live.account.messages
    assert sent.new_message.msgid == message.id
    assert sent.new_message.ref_id == "m-1"
    edit = {"message_type": "text", "message_text": "Пока", "conversation_id": CONVERSATION}
    await done(MessageAction(client).edit, msgid="m-1", **edit)
    status = DeliveryStatusAction(client)
    assert await done(status.set, msgid=message.id, delivery_status=1) == 200
    error = {"delivery_status": -1, "error_code": 905, "error": "no reason"}
    second = (await done(MessageAction(client).send, msgid="m-2", **INCOMING)).new_message
    assert await done(status.set, msgid=second.msgid, **error) == 200
    typing = {"conversation_id": CONVERSATION, "sender_id": CONVERSATION}
    assert await done(TypingAction(client).send, **typing) is True
    react = {"conversation_id": CONVERSATION, "id": message.id, "user_id": CONVERSATION}
    await done(ReactAction(client).set, **react, type="react", emoji="👍")
    await done(ChatAction(client).create, conversation_id="c-2", user_id="u-2", user_name="Petr")
    history = await done(HistoryAction(client).get, conversation_ref_id=message.chat_id)
    assert [entry.message.client_id for entry in history.messages] == ["m-2", "m-1"]
    assert await done(ChannelAction(client).disconnect) is True
    assert live.violations == []
    assert (message.text, message.status, message.reactions) == ("Пока", 1, {CONVERSATION: "👍"})
    assert live.account.messages[1].reports[0].error == "no reason"


async def test_a_wrong_secret_is_refused(live: PretendedAmoCRM) -> None:
    """With another secret it is answered 403 and nothing is done."""
    with pytest.raises(Exception, match="403"):
        await done(ChannelAction(client_of(live, "f" * 40)).connect)
    assert [violation.code for violation in live.violations] == ["Signature"]
    assert live.account.connection is None


async def test_it_is_refused_before_connect(live: PretendedAmoCRM) -> None:
    """Its message to a channel that is not connected is refused."""
    with pytest.raises(RuntimeError, match="404"):
        await done(MessageAction(client_of(live)).send, **INCOMING)
    assert live.account.messages == []


async def test_a_repeated_msgid_is_refused(live: PretendedAmoCRM) -> None:
    """The same msgid a second time is answered 400, and is kept once."""
    client = client_of(live)
    await done(ChannelAction(client).connect)
    moment = int(time.time())
    again = {"msgid": "m-1", "timestamp": moment, "msec_timestamp": moment * 1000, **INCOMING}
    await done(MessageAction(client).send, **again)
    with pytest.raises(RuntimeError, match="m-1"):
        await done(MessageAction(client).send, **again)
    assert len(live.account.messages) == 1


async def test_its_short_receivers_need_the_reading_in_use() -> None:
    """It names receivers by id alone: refused by the documents, taken by the reading in use."""
    outgoing = {**INCOMING, "sender_ref_id": OLGA.amojo_id, "receiver_id": CONVERSATION}
    async with PretendedAmoCRM() as server:
        await done(ChannelAction(client_of(server)).connect)
        with pytest.raises(RuntimeError, match=r"receiver\.name"):
            await done(MessageAction(client_of(server)).send, **outgoing)
    async with PretendedAmoCRM(quirks=Quirks(parties="in_use")) as server:
        await done(ChannelAction(client_of(server)).connect)
        await done(MessageAction(client_of(server)).send, **outgoing)
        assert server.violations == []
        assert server.account.messages[0].author.name == "Olga"


@pytest.mark.parametrize("newline", [False, True])
async def test_our_hooks_pass_its_validator(live: PretendedAmoCRM, *, newline: bool) -> None:
    """It takes the hooks' signatures for right, with the unsigned line end and without."""
    client = client_of(live)
    await done(ChannelAction(client).connect)
    await done(MessageAction(client).send, **INCOMING)
    live.sender.newline = newline
    receiver = Receiver()
    receiver.let_go.set()
    async with receiving(receiver) as url:
        live.sender.url = url
        await live.write(CONVERSATION, OLGA, "Добрый день")
    [(_, body, headers)] = receiver.got
    assert body.endswith(b"\n") is newline
    validator = WebhookValidator(client)
    assert validator.validate(body.decode(), headers["X-Signature"])
    assert not validator.validate(body.decode() + " ", headers["X-Signature"])
