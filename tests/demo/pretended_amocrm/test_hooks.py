"""Laws of the hooks: their bodies, their signature, and that each is sent once."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any, Literal

import pytest

from relay.demo.pretended_amocrm import (
    BORIS,
    NEWCOMER,
    OLGA,
    BeforeAnswer,
    Message,
    PretendedAmoCRM,
    Quirks,
)
from relay.demo.pretended_amocrm.signing import hook_signature_of
from tests.demo.pretended_amocrm.peers import (
    CLIENT,
    MANAGER,
    NOW_MS,
    PHONE,
    Client,
    Clock,
    Receiver,
    receiving,
    talking,
)

CONVERSATION = "wa-79991234567"


async def heard(
    quirks: Quirks, clock: Clock
) -> AsyncIterator[tuple[PretendedAmoCRM, Client, Receiver]]:
    """A connected server of another reading, with one chat and both peers."""
    receiver = Receiver()
    receiver.let_go.set()
    async with (
        receiving(receiver) as url,
        PretendedAmoCRM(hook_url=lambda: url, quirks=quirks, now_ms=clock) as server,
        talking(server) as client,
    ):
        await client.connect()
        await client.message("m-1")
        yield server, client, receiver


async def test_a_manager_s_text_as_a_hook(
    server: PretendedAmoCRM, client: Client, receiver: Receiver
) -> None:
    """A message in a bound chat names both ids of chat and client, and the author by amojo's."""
    await client.message()
    message = await server.write(CONVERSATION, OLGA, "Good day")
    [hook] = receiver.hooks
    [chat] = server.account.chats.values()
    assert hook["account_id"] == server.identity.amojo_id
    assert hook["time"] == NOW_MS // 1000
    body = hook["message"]
    assert body["conversation"] == {"id": chat.id, "client_id": CONVERSATION}
    assert body["sender"] == {"id": OLGA.amojo_id}
    assert body["receiver"] == {
        "id": chat.person_id, "client_id": CLIENT["id"], "phone": PHONE[1:], "email": "",
    }  # fmt: skip
    assert (body["timestamp"], body["msec_timestamp"]) == (NOW_MS // 1000, NOW_MS)
    assert body["message"]["id"] == message.id
    assert (body["message"]["type"], body["message"]["text"]) == ("text", "Good day")


async def test_a_hook_is_signed_and_addressed(
    server: PretendedAmoCRM, client: Client, receiver: Receiver
) -> None:
    """A hook goes to the address with the scope in it, signed over its body."""
    await client.message()
    await server.write(CONVERSATION, OLGA, "Привет")
    [(path, body, headers)] = receiver.got
    assert path == f"/amocrm/hook/{server.account.scope_id}"
    assert headers["X-Signature"] == hook_signature_of(server.identity.channel_secret, body)
    assert headers["Content-Type"] == "application/json"
    assert "Привет".encode() in body


async def test_an_unsigned_line_end_may_follow(
    server: PretendedAmoCRM, client: Client, receiver: Receiver
) -> None:
    """With `newline` the body ends in a line end that the signature does not cover."""
    await client.message()
    server.sender.newline = True
    await server.write(CONVERSATION, OLGA, "x")
    [(_, body, headers)] = receiver.got
    assert body.endswith(b"}\n")
    secret = server.identity.channel_secret
    assert headers["X-Signature"] == hook_signature_of(secret, body[:-1])
    assert headers["X-Signature"] != hook_signature_of(secret, body)


@pytest.mark.parametrize("status", [201, 204, 302, 403, 500, 503])
async def test_only_200_counts(
    server: PretendedAmoCRM, client: Client, receiver: Receiver, status: int
) -> None:
    """Any answer but exactly 200 loses the hook; it is sent once and no redirect is followed."""
    await client.message()
    receiver.status = status
    message = await server.write(CONVERSATION, OLGA, "x")
    assert message.hook is not None
    assert (message.hook.status, message.hook.lost) == (status, f"answered {status}")
    assert len(receiver.got) == 1


async def test_an_answered_hook_is_not_lost(
    server: PretendedAmoCRM, client: Client, receiver: Receiver
) -> None:
    """A 200 in time is a hook that arrived."""
    await client.message()
    message = await server.write(CONVERSATION, OLGA, "x")
    assert message.hook is not None
    assert (message.hook.finished, message.hook.status, message.hook.lost) == (True, 200, None)


async def test_a_late_answer_loses_the_hook(
    server: PretendedAmoCRM, client: Client, receiver: Receiver
) -> None:
    """A hook without an answer within the limit is lost."""
    await client.message()
    receiver.let_go.clear()
    server.sender.limit_s = 0.05
    message = await server.write(CONVERSATION, OLGA, "x")
    assert message.hook is not None
    assert message.hook.lost == "no answer within 0.05 s"


async def test_the_limit_is_five_seconds(server: PretendedAmoCRM) -> None:
    """amoCRM waits five seconds for the answer to a hook."""
    assert server.sender.limit_s == 5.0


async def test_a_closed_door_loses_the_hook(server: PretendedAmoCRM, client: Client) -> None:
    """A hook to an address where nobody listens is lost, not an error of the writer."""
    await client.message()
    server.sender.url = "http://127.0.0.1:9/hook/:scope_id"
    message = await server.write(CONVERSATION, OLGA, "x")
    assert message.hook is not None
    assert message.hook.lost is not None
    assert message in server.account.messages


async def test_no_hooks_after_disconnect(
    server: PretendedAmoCRM, client: Client, receiver: Receiver
) -> None:
    """A channel that is not connected gets no hooks; what is written is lost."""
    await client.message()
    body = {"account_id": server.identity.amojo_id}
    await client.call("DELETE", f"{server.identity.channel_id}/disconnect", body)
    message = await server.write(CONVERSATION, OLGA, "x")
    assert message.hook is not None
    assert (message.hook.lost, receiver.got) == ("the channel is not connected", [])


async def test_version_one_is_what_was_asked_for(
    server: PretendedAmoCRM, client: Client, receiver: Receiver
) -> None:
    """After a connect without a version hooks are flat: no message id, no sender."""
    await client.connect(hook_api_version=None)
    await client.message()
    await server.write(CONVERSATION, OLGA, "x")
    [hook] = receiver.hooks
    assert (hook["receiver"], hook["conversation_id"]) == (CLIENT["id"], CONVERSATION)
    assert (hook["type"], hook["text"]) == ("text", "x")
    assert "message" not in hook
    assert "sender" not in hook


async def test_a_robot_is_nobody_s_user(
    server: PretendedAmoCRM, client: Client, receiver: Receiver
) -> None:
    """A robot's sender id is no user's."""
    await client.message()
    await server.write_as_robot(CONVERSATION, "x")
    sender = receiver.hooks[0]["message"]["sender"]["id"]
    assert sender not in {user.amojo_id for user in server.account.users}


async def test_who_was_never_in_the_chats_cannot_write(
    server: PretendedAmoCRM, client: Client
) -> None:
    """A user without an amojo id writes nothing."""
    await client.message()
    with pytest.raises(KeyError):
        await server.write(CONVERSATION, NEWCOMER, "x")


async def test_content_is_added_to_a_hook(
    server: PretendedAmoCRM, client: Client, receiver: Receiver
) -> None:
    """A manager's message may carry media or a keyboard beside its text."""
    await client.message()
    content = {"type": "picture", "media": "https://a.example/p.jpg", "file_size": 9}
    await server.write(CONVERSATION, BORIS.id, "caption", content=content)
    message = receiver.hooks[0]["message"]["message"]
    assert (message["type"], message["text"], message["media"]) == (
        "picture", "caption", "https://a.example/p.jpg",
    )  # fmt: skip


async def test_raw_bytes_go_as_they_are(server: PretendedAmoCRM, receiver: Receiver) -> None:
    """A raw hook has the bytes and the signature given, or none."""
    await server.raw_hook(b"\xff{", "abc")
    await server.raw_hook(b"{}", None)
    (_, first, signed), (_, second, unsigned) = receiver.got
    assert (first, signed["X-Signature"]) == (b"\xff{", "abc")
    assert second == b"{}"
    assert "X-Signature" not in unsigned


async def test_write_first_knows_none_of_our_ids(
    server: PretendedAmoCRM, receiver: Receiver
) -> None:
    """A chat begun in the CRM has no client_id; its receiver has the phone, its source is told."""
    await server.write_first("8 (999) 123-45-67", OLGA, "Hello", source="wa-74950000001")
    body = receiver.hooks[0]["message"]
    assert body["conversation"].keys() == {"id"}
    assert body["receiver"].keys() == {"id", "phone", "email"}
    assert body["receiver"]["phone"] == "8 (999) 123-45-67"
    assert body["source"] == {"external_id": "wa-74950000001"}


def bound(message: Message, server: PretendedAmoCRM) -> dict[str, Any]:
    """The fields that bind a chat begun in the CRM."""
    chat = server.account.chats[message.chat_id]
    return {
        "conversation_ref_id": chat.id,
        "sender": {**CLIENT, "ref_id": chat.person_id},
    }


async def test_both_pairs_of_ids_bind(
    server: PretendedAmoCRM, client: Client, receiver: Receiver
) -> None:
    """An answer with both pairs goes into the chat begun in the CRM; later hooks name our ids."""
    first = await server.write_first(PHONE, OLGA, "Hello")
    await client.message(**bound(first, server))
    assert len(server.account.chats) == 1
    await server.write(CONVERSATION, OLGA, "again")
    body = receiver.hooks[-1]["message"]
    assert body["conversation"]["client_id"] == CONVERSATION
    assert body["receiver"]["client_id"] == CLIENT["id"]
    assert server.violations == []


async def test_binding_may_be_repeated(
    server: PretendedAmoCRM, client: Client, receiver: Receiver
) -> None:
    """The pair sent with every later message changes nothing more."""
    first = await server.write_first(PHONE, OLGA, "Hello")
    await client.message("m-1", **bound(first, server))
    answer = await client.message("m-2", **bound(first, server))
    assert (answer.status, len(server.account.chats)) == (200, 1)


@pytest.mark.parametrize("left_out", ["conversation_ref_id", "sender"])
async def test_half_a_binding_opens_a_second_chat(
    server: PretendedAmoCRM, client: Client, receiver: Receiver, left_out: str
) -> None:
    """One pair alone does not bind: a second chat is opened, and that is noted."""
    first = await server.write_first(PHONE, OLGA, "Hello")
    fields = {k: v for k, v in bound(first, server).items() if k != left_out}
    if left_out == "conversation_ref_id":
        fields["sender"] = bound(first, server)["sender"]
    answer = await client.message(**fields)
    assert answer.status == 200
    assert len(server.account.chats) == 2
    assert [violation.code for violation in server.violations] == ["HalfBinding"]


async def test_no_binding_opens_a_second_chat_and_contact(
    server: PretendedAmoCRM, client: Client, receiver: Receiver
) -> None:
    """An answer without amojo's ids is a new conversation with a new contact."""
    await server.write_first(PHONE, OLGA, "Hello")
    await client.message()
    assert (len(server.account.chats), len(server.account.contacts)) == (2, 2)


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"conversation_ref_id": "none"}, "ChatUnknown"),
        ({"sender": {**CLIENT, "ref_id": "none"}}, "ClientUnknown"),
    ],
)
async def test_a_reference_to_nothing_is_refused(
    server: PretendedAmoCRM, client: Client, fields: dict[str, Any], code: str
) -> None:
    """amojo's ids in a message are somebody's."""
    answer = await client.message(**fields)
    assert (answer.status, server.violations[-1].code) == (400, code)


async def test_a_bound_chat_keeps_its_conversation(
    server: PretendedAmoCRM, client: Client, receiver: Receiver
) -> None:
    """A chat bound to one conversation cannot be bound to another."""
    first = await server.write_first(PHONE, OLGA, "Hello")
    await client.message("m-1", **bound(first, server))
    answer = await client.message("m-2", **{**bound(first, server), "conversation_id": "other"})
    assert (answer.status, server.violations[-1].code) == (400, "ConversationMismatch")


async def test_an_outgoing_import_may_bind_or_not(clock: Clock) -> None:
    """Whether a message typed on the phone binds a chat begun in the CRM is one switch."""
    for binds, chats in ((True, 1), (False, 2)):
        async with (
            PretendedAmoCRM(quirks=Quirks(outgoing_binds=binds), now_ms=clock) as server,
            talking(server) as client,
        ):
            await client.connect()
            first = await server.write_first(PHONE, OLGA, "Hello")
            fields = bound(first, server)
            await client.message(
                conversation_ref_id=fields["conversation_ref_id"],
                sender=MANAGER,
                receiver=fields["sender"],
            )
            assert len(server.account.chats) == chats


async def test_write_first_may_go_on_in_a_chat(clock: Clock) -> None:
    """Under the other reading, write first to a client who has a chat goes on there."""
    async for server, _, receiver in heard(Quirks(write_first_reuses_chat=True), clock):
        await server.write_first("8 999 123 45 67".replace("8", "+7", 1), OLGA, "Hello")
        assert receiver.hooks[0]["message"]["conversation"]["client_id"] == CONVERSATION
        assert len(server.account.chats) == 1


async def test_actions_as_in_the_example(
    server: PretendedAmoCRM, client: Client, receiver: Receiver
) -> None:
    """Typing and reaction hooks have the shape of the documents' examples."""
    await client.message()
    [message] = server.account.messages
    await server.typing(CONVERSATION, OLGA)
    await server.reaction(message.id, OLGA, "👍")
    await server.reaction(message.id, OLGA, None)
    typing, react, unreact = (hook["action"] for hook in receiver.hooks)
    assert typing["typing"]["user"] == {"id": OLGA.amojo_id}
    assert typing["typing"]["expired_at"] == NOW_MS // 1000 + 5
    assert (react["reaction"]["emoji"], react["reaction"]["msgid"]) == ("👍", message.id)
    assert unreact["reaction"]["type"] == "unreact"
    assert "emoji" not in unreact["reaction"]


async def test_actions_as_in_the_table(clock: Clock) -> None:
    """Under the other reading the user and the message stand where the tables put them."""
    async for server, _, receiver in heard(Quirks(action_form="table"), clock):
        [message] = server.account.messages
        await server.typing(CONVERSATION, OLGA)
        await server.reaction(message.id, OLGA, "👍")
        typing, reaction = (hook["action"] for hook in receiver.hooks)
        assert typing["user"] == {"id": OLGA.amojo_id}
        shown = reaction["reaction"]["message"]
        assert (shown["id"], shown["client_id"]) == (message.id, "m-1")


async def test_users_imports_may_echo(clock: Clock) -> None:
    """Under the other reading a message imported in a user's name comes back as a hook."""
    async for server, client, receiver in heard(Quirks(echo_of_users=True), clock):
        answer = await client.message("m-2", sender=MANAGER, receiver=CLIENT)
        await server.wait_for(lambda s: bool(s.hooks) and s.hooks[-1].finished)
        [hook] = receiver.hooks
        assert hook["message"]["message"]["id"] == answer.json["new_message"]["msgid"]


async def test_imports_do_not_echo_by_default(
    server: PretendedAmoCRM, client: Client, receiver: Receiver
) -> None:
    """A message of a client, or of the bot, never comes back as a hook."""
    await client.message("m-1")
    bot = {"id": "phone", "name": "x", "ref_id": server.identity.bot.id}
    await client.message("m-2", sender=bot, receiver=CLIENT)
    assert server.hooks == []


async def test_a_hook_may_overtake_the_answer(
    server: PretendedAmoCRM, client: Client, receiver: Receiver
) -> None:
    """The hook of an imported message can arrive before the POST that brought it is answered."""
    server.faults.add(BeforeAnswer(server.echo), "messages", times=1)
    answer = await client.message("m-2", sender=MANAGER, receiver=CLIENT)
    assert len(receiver.got) == 1
    hook = json.loads(receiver.got[0][1])
    assert hook["message"]["message"]["id"] == answer.json["new_message"]["msgid"]


@pytest.mark.parametrize("when", ["before", "after"])
async def test_the_bots_imports_may_echo(clock: Clock, when: Literal["before", "after"]) -> None:
    """Under the other readings a message imported in the bot's name comes back, soon or at once."""
    async for server, client, receiver in heard(Quirks(echo_of_bot=when), clock):
        bot = {"id": "phone", "name": "x", "ref_id": server.identity.bot.id}
        source = {"external_id": "wa-1"}
        answer = await client.message(
            "m-2", sender=bot, receiver=CLIENT, silent=True, source=source
        )
        if when == "before":
            assert server.hooks[-1].finished
        await server.wait_for(lambda s: bool(s.hooks) and s.hooks[-1].finished)
        [hook] = receiver.hooks
        assert hook["message"]["message"]["id"] == answer.json["new_message"]["msgid"]
        assert hook["message"]["sender"]["id"] == server.identity.bot.id
        assert server.violations == []


async def test_what_is_in_the_bots_name_is_silent_and_names_its_source(
    server: PretendedAmoCRM, client: Client
) -> None:
    """A message that nobody wrote in the CRM must not ring there; it is taken, and noted."""
    bot = {"id": "phone", "name": "x", "ref_id": server.identity.bot.id}
    await client.message("m-2", sender=bot, receiver=CLIENT)
    assert [violation.code for violation in server.violations] == ["LoudBot", "NoSource"]
