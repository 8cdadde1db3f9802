"""Laws of the methods: what the account looks like after each, and what it will not take."""

from __future__ import annotations

import pytest

from relay.demo.pretended_amocrm import OLGA, DeliveryReport, PretendedAmoCRM, Quirks
from tests.demo.pretended_amocrm.peers import (
    CLIENT,
    MANAGER,
    NOW_MS,
    PHONE,
    Client,
    Clock,
    new_message,
    talking,
)


def codes(server: PretendedAmoCRM) -> list[str]:
    return [violation.code for violation in server.violations]


async def test_connect_echoes_its_fields_and_the_scope(
    bare: PretendedAmoCRM, client: Client
) -> None:
    """Connect answers what it took, with the scope id added."""
    answer = await client.connect(title="WA", is_time_window_disabled=True)
    assert answer.status == 200
    assert answer.json == {
        "account_id": bare.identity.amojo_id,
        "scope_id": f"{bare.identity.channel_id}_{bare.identity.amojo_id}",
        "title": "WA",
        "hook_api_version": "v2",
        "is_time_window_disabled": True,
    }


async def test_connect_without_a_version_means_version_one(
    bare: PretendedAmoCRM, client: Client
) -> None:
    """Who does not ask for version 2 of the hooks gets version 1."""
    answer = await client.connect(hook_api_version=None)
    assert answer.json["hook_api_version"] == "v1"


async def test_connect_may_be_repeated(server: PretendedAmoCRM, client: Client) -> None:
    """A second connect is as good as the first."""
    assert (await client.connect()).status == 200
    assert server.account.connects == 2
    assert server.violations == []


async def test_an_unknown_channel_cannot_connect(bare: PretendedAmoCRM, client: Client) -> None:
    """Connecting a channel that does not exist is answered 404."""
    answer = await client.call("POST", "no-such-channel/connect", {"account_id": "a"})
    assert (answer.status, codes(bare)) == (404, ["ChannelUnknown"])


async def test_a_foreign_account_cannot_connect(bare: PretendedAmoCRM, client: Client) -> None:
    """A channel serves only the accounts named at its registration."""
    answer = await client.connect(account_id="another")
    assert (answer.status, codes(bare)) == (403, ["AccountForeign"])


async def test_nothing_is_taken_before_connect(bare: PretendedAmoCRM, client: Client) -> None:
    """A channel that is not connected takes no message."""
    answer = await client.message()
    assert (answer.status, codes(bare)) == (404, ["NotConnected"])


async def test_nothing_is_taken_after_disconnect(server: PretendedAmoCRM, client: Client) -> None:
    """Disconnecting ends the connection."""
    body = {"account_id": server.identity.amojo_id}
    answer = await client.call("DELETE", f"{server.identity.channel_id}/disconnect", body)
    assert (answer.status, answer.body) == (200, b"")
    assert (await client.message()).status == 404


async def test_an_unknown_scope_is_refused(server: PretendedAmoCRM, client: Client) -> None:
    """The scope of another account is not served."""
    answer = await client.call("POST", f"{server.identity.channel_id}_other", new_message())
    assert (answer.status, codes(server)) == (404, ["ScopeUnknown"])


@pytest.mark.parametrize("path", ["", "/typing/", "//x", "/unknown", "/a/b/c/d"])
async def test_an_unknown_path_is_refused(
    server: PretendedAmoCRM, client: Client, path: str
) -> None:
    """A path that is no method's is answered 404, a trailing slash included."""
    scope = server.account.scope_id if path else ""
    answer = await client.call("POST", scope + path, {})
    assert (answer.status, codes(server)) == (404, ["PathUnknown"])


async def test_the_wrong_verb_is_refused(server: PretendedAmoCRM, client: Client) -> None:
    """Each path has one method."""
    answer = await client.call("PUT", server.account.scope_id, new_message())
    assert (answer.status, codes(server)) == (405, ["Method"])


@pytest.mark.parametrize("body", [b"{", b"\xff", b'{"a":NaN}', b"[" * 100_000])
async def test_a_body_that_is_not_json_is_refused(
    server: PretendedAmoCRM, client: Client, body: bytes
) -> None:
    """What is not JSON in UTF-8 is answered 400."""
    answer = await client.post(body)
    assert (answer.status, codes(server)) == (400, ["NotJson"])


async def test_a_wrong_body_is_answered_with_details(
    server: PretendedAmoCRM, client: Client
) -> None:
    """A 400 says what was wrong, and where; nothing is kept."""
    answer = await client.message(timestamp="soon")
    assert answer.status == 400
    assert answer.json["error_code"] == 400
    assert "payload.timestamp" in answer.json["error_description"]
    assert server.account.messages == []


async def test_an_unknown_event_is_refused(server: PretendedAmoCRM, client: Client) -> None:
    """Only new_message and edit_message are events."""
    answer = await client.post({"event_type": "delete_message", "payload": {}})
    assert (answer.status, codes(server)) == (400, ["EventUnknown"])


async def test_the_answer_to_a_message_inverts_the_ids(
    server: PretendedAmoCRM, client: Client
) -> None:
    """In the answer ``msgid`` is amojo's id and ``ref_id`` the integration's."""
    answer = (await client.message("m-1")).json["new_message"]
    [message] = server.account.messages
    assert answer["msgid"] == message.id
    assert answer["ref_id"] == "m-1"
    assert answer["conversation_id"] == message.chat_id
    assert answer["receiver_id"] is None


async def test_a_first_message_makes_chat_contact_and_lead(
    server: PretendedAmoCRM, client: Client
) -> None:
    """An unknown conversation brings a chat, a contact with the phone, and an unsorted lead."""
    await client.message()
    [chat] = server.account.chats.values()
    [contact] = server.account.contacts.values()
    [lead] = server.account.leads
    assert chat.client_id == "wa-79991234567"
    assert [phone.value for phone in contact.phones] == [PHONE]
    assert (lead.chat_id, lead.contact_id) == (chat.id, contact.id)


async def test_a_silent_first_message_makes_the_chat_only(
    server: PretendedAmoCRM, client: Client
) -> None:
    """A silent message brings neither contact nor lead; the first that is not silent does."""
    await client.message("m-1", silent=True)
    assert len(server.account.chats) == 1
    assert (server.account.contacts, server.account.leads) == ({}, [])
    await client.message("m-2")
    assert (len(server.account.chats), len(server.account.leads)) == (1, 1)


async def test_messages_stay_in_order_of_acceptance(
    server: PretendedAmoCRM, client: Client
) -> None:
    """A chat's messages stand in the order in which they were accepted."""
    for number in range(3):
        await client.message(f"m-{number}")
    assert [m.msgid for m in server.account.in_chat("wa-79991234567")] == ["m-0", "m-1", "m-2"]


async def test_an_outgoing_message_has_its_author(server: PretendedAmoCRM, client: Client) -> None:
    """A receiver and a user's ref_id make a message outgoing, written by that user."""
    await client.message(sender=MANAGER, receiver=CLIENT)
    [message] = server.account.messages
    assert (message.direction, message.author.kind, message.author.name) == ("out", "user", "Olga")


async def test_the_bot_writes_for_unknown_authors(server: PretendedAmoCRM, client: Client) -> None:
    """The bot's ref_id makes a message outgoing, written by the bot."""
    bot = {"id": "phone", "name": "x", "ref_id": server.identity.bot.id}
    await client.message(sender=bot, receiver=CLIENT)
    assert server.account.messages[0].author.kind == "bot"


@pytest.mark.parametrize(
    "parties",
    [
        {"sender": MANAGER},
        {"sender": {**MANAGER, "ref_id": "nobody"}, "receiver": CLIENT},
        {"sender": {"id": "e", "name": "n"}, "receiver": CLIENT},
    ],
)
async def test_an_undocumented_direction_is_refused(
    server: PretendedAmoCRM, client: Client, parties: dict[str, object]
) -> None:
    """Receiver without employee, or employee without receiver, has no documented meaning."""
    answer = await client.message(**parties)
    assert (answer.status, codes(server)) == (400, ["DirectionUndocumented"])


async def test_a_receiver_who_is_not_in_the_chat_is_refused(
    server: PretendedAmoCRM, client: Client
) -> None:
    """The receiver of an outgoing message is the client of its chat."""
    await client.message("m-1")
    stranger = {**CLIENT, "id": "wa-1"}
    answer = await client.message("m-2", sender=MANAGER, receiver=stranger)
    assert (answer.status, codes(server)) == (400, ["NotInChat"])


async def test_a_repeated_msgid_is_kept_once(server: PretendedAmoCRM, client: Client) -> None:
    """A msgid seen before is refused, naming it; the message is kept once, the repeat recorded."""
    await client.message("m-1")
    answer = await client.message("m-1")
    assert answer.status == 400
    assert "m-1" in answer.json["error_description"]
    assert len(server.account.messages) == 1
    assert [(repeat.msgid, repeat.status) for repeat in server.account.repeats] == [("m-1", 400)]


async def test_an_honest_repeat_is_no_violation(server: PretendedAmoCRM, client: Client) -> None:
    """Repeating a message whose answer was lost is what a client must do."""
    await client.message("m-1")
    await client.message("m-1")
    assert server.violations == []


async def test_a_msgid_with_other_content_is_a_violation(
    server: PretendedAmoCRM, client: Client
) -> None:
    """Two messages under one msgid are noted."""
    await client.message("m-1")
    await client.message("m-1", message={"type": "text", "text": "something else"})
    assert codes(server) == ["MsgidReused"]


async def test_a_repeat_may_be_answered_200(clock: Clock) -> None:
    """Under the other reading a repeat gets the first answer again, and is kept once too."""
    quirks = Quirks(repeated_msgid_status=200)
    async with PretendedAmoCRM(quirks=quirks, now_ms=clock) as server, talking(server) as client:
        await client.connect()
        first, second = await client.message(), await client.message()
        assert (second.status, second.json) == (200, first.json)
        assert (len(server.account.messages), len(server.account.repeats)) == (1, 1)


async def test_a_quote_of_the_same_chat_is_kept(server: PretendedAmoCRM, client: Client) -> None:
    """A quoted message is found by its msgid."""
    await client.message("m-1")
    await client.message("m-2", reply_to={"message": {"msgid": "m-1"}})
    first, second = server.account.messages
    assert second.quoted_id == first.id


async def test_a_quote_of_nothing_is_refused(server: PretendedAmoCRM, client: Client) -> None:
    """A quoted message must exist."""
    answer = await client.message(reply_to={"message": {"id": "none"}})
    assert (answer.status, codes(server)) == (400, ["QuotedUnknown"])


async def test_a_quote_of_another_chat_is_refused(server: PretendedAmoCRM, client: Client) -> None:
    """A quoted message must be of the same chat."""
    await client.message("m-1")
    other = {"id": "wa-2", "name": "Petr"}
    answer = await client.message(
        "m-2", conversation_id="wa-2", sender=other, reply_to={"message": {"msgid": "m-1"}}
    )
    assert (answer.status, codes(server)) == (400, ["QuotedElsewhere"])


def edited(**fields: object) -> dict[str, object]:
    payload = {**new_message()["payload"], "message": {"type": "text", "text": "new"}, **fields}
    del payload["sender"]
    payload = {name: value for name, value in payload.items() if value is not None}
    return {"event_type": "edit_message", "payload": payload}


async def test_an_edit_changes_the_text(server: PretendedAmoCRM, client: Client) -> None:
    """An edited message keeps its place and remembers its former text."""
    await client.message("m-1")
    assert (await client.post(edited())).status == 200
    [message] = server.account.messages
    assert (message.text, message.earlier_texts) == ("new", ["hello"])


async def test_an_edit_of_nothing_is_refused(server: PretendedAmoCRM, client: Client) -> None:
    """Only a known message can be edited."""
    answer = await client.post(edited(msgid="none"))
    assert (answer.status, codes(server)) == (400, ["MessageUnknown"])


async def test_an_edit_names_the_message_s_own_chat(
    server: PretendedAmoCRM, client: Client
) -> None:
    """A message is edited in the chat that has it."""
    await client.message("m-1")
    await client.message("m-2", conversation_id="c-2", sender={"id": "wa-2", "name": "Petr"})
    answer = await client.post(edited(conversation_id="c-2"))
    assert (answer.status, codes(server)) == (400, ["EditedElsewhere"])


async def test_an_edit_with_both_ids_gives_the_msgid(
    server: PretendedAmoCRM, client: Client
) -> None:
    """Sending both ids assigns the msgid to the message of that id."""
    await client.message("m-1")
    message = await server.write("wa-79991234567", OLGA, "from the CRM")
    await client.post(edited(id=message.id, msgid="m-9"))
    assert server.account.message_by_msgid["m-9"] is message


async def test_statuses_are_remembered_in_order(server: PretendedAmoCRM, client: Client) -> None:
    """Delivered, then read: both are kept, in either name of the field."""
    await client.message()
    [message] = server.account.messages
    await client.in_scope(f"{message.id}/delivery_status", {"status_code": 1})
    second = {"msgid": message.id, "delivery_status": 2}
    answer = await client.in_scope(f"{message.id}/delivery_status", second)
    assert (answer.status, answer.body) == (200, b"")
    assert message.reports == [DeliveryReport(1, NOW_MS), DeliveryReport(2, NOW_MS)]
    assert server.violations == []


async def test_an_error_is_kept_with_its_reason(server: PretendedAmoCRM, client: Client) -> None:
    """A failed delivery shows its code and text."""
    await client.message()
    [message] = server.account.messages
    body = {"status_code": -1, "error_code": 904, "error": "not on WhatsApp"}
    await client.in_scope(f"{message.id}/delivery_status", body)
    assert message.reports == [DeliveryReport(-1, NOW_MS, 904, "not on WhatsApp")]


async def test_a_status_of_nothing_is_refused(server: PretendedAmoCRM, client: Client) -> None:
    """A status of an unknown message is answered 404."""
    answer = await client.in_scope("none/delivery_status", {"status_code": 1})
    assert (answer.status, codes(server)) == (404, ["MessageUnknown"])


async def test_a_status_names_the_message_by_amojos_id(
    server: PretendedAmoCRM, client: Client
) -> None:
    """The integration's own msgid in the path is not found, and the details say why."""
    await client.message("m-1")
    answer = await client.in_scope("m-1/delivery_status", {"status_code": 1})
    assert answer.status == 404
    assert "msgid" in answer.json["error_description"]


async def test_a_status_for_two_messages_is_refused(
    server: PretendedAmoCRM, client: Client
) -> None:
    """A msgid in the body is that of the path."""
    await client.message()
    [message] = server.account.messages
    body = {"msgid": "another", "delivery_status": 1}
    answer = await client.in_scope(f"{message.id}/delivery_status", body)
    assert (answer.status, codes(server)) == (400, ["MsgidDiffers"])


@pytest.mark.parametrize(
    ("first", "second", "back"),
    [
        (1, 2, False),
        (1, 1, False),
        (2, 2, False),
        (-1, -1, False),
        (2, 1, True),
        (2, -1, True),
        (1, -1, True),
        (-1, 1, True),
        (-1, 2, True),
    ],
)
async def test_a_status_that_steps_back_is_a_violation(
    server: PretendedAmoCRM, client: Client, first: int, second: int, back: bool
) -> None:
    """A status never steps back, nor leaves an error; the same again is a retry."""
    await client.message()
    [message] = server.account.messages
    for status in (first, second):
        reason = {"error_code": 905, "error": "x"} if status == -1 else {}
        body = {"status_code": status, **reason}
        answer = await client.in_scope(f"{message.id}/delivery_status", body)
        assert answer.status == 200
    assert codes(server) == (["StatusSteppedBack"] if back else [])


async def test_typing_is_answered_204(server: PretendedAmoCRM, client: Client) -> None:
    """Typing shows in the chat for its duration."""
    await client.message()
    body = {"conversation_id": "wa-79991234567", "sender": {"id": "wa-79991234567"}}
    answer = await client.in_scope("typing", body)
    assert answer.status == 204
    assert server.account.typings[0].until_ms == NOW_MS + 5000


async def test_typing_in_no_chat_is_refused(server: PretendedAmoCRM, client: Client) -> None:
    """Typing needs a known chat."""
    body = {"conversation_id": "none", "sender": {"id": "wa-79991234567"}}
    answer = await client.in_scope("typing", body)
    assert (answer.status, codes(server)) == (404, ["ChatUnknown"])


async def test_a_reaction_comes_and_goes(server: PretendedAmoCRM, client: Client) -> None:
    """React puts the emoji on the message, unreact takes it away."""
    await client.message("m-1")
    [message] = server.account.messages
    body = {"conversation_id": "wa-79991234567", "msgid": "m-1", "user": {"id": "wa-1"}}
    await client.in_scope("react", {**body, "type": "react", "emoji": "👍"})
    assert message.reactions == {"wa-1": "👍"}
    await client.in_scope("react", {**body, "type": "unreact"})
    assert message.reactions == {}
    assert server.violations == []


async def test_a_reaction_to_nothing_is_refused(server: PretendedAmoCRM, client: Client) -> None:
    """A reaction to an unknown message is answered 404."""
    await client.message("m-1")
    body = {"conversation_id": "wa-79991234567", "msgid": "m-2", "user": {"id": "wa-1"}}
    answer = await client.in_scope("react", {**body, "type": "react", "emoji": "👍"})
    assert (answer.status, codes(server)) == (404, ["MessageUnknown"])


async def test_a_reaction_names_the_message_s_own_chat(
    server: PretendedAmoCRM, client: Client
) -> None:
    """A message of another chat is not found."""
    await client.message("m-1")
    await client.message("m-2", conversation_id="c-2", sender={"id": "wa-2", "name": "Petr"})
    body = {"conversation_id": "c-2", "msgid": "m-1", "user": {"id": "wa-2"}}
    answer = await client.in_scope("react", {**body, "type": "react", "emoji": "👍"})
    assert (answer.status, codes(server)) == (404, ["MessageUnknown"])


async def test_a_reaction_of_nobody_is_refused(server: PretendedAmoCRM, client: Client) -> None:
    """A reacting ref_id is somebody's."""
    await client.message("m-1")
    body = {"conversation_id": "wa-79991234567", "msgid": "m-1", "user": {"ref_id": "nobody"}}
    answer = await client.in_scope("react", {**body, "type": "react", "emoji": "👍"})
    assert (answer.status, codes(server)) == (400, ["UserUnknown"])


async def test_create_chat_makes_no_cards(server: PretendedAmoCRM, client: Client) -> None:
    """A chat made by its method has neither contact nor lead; asked again it is the same."""
    body = {"conversation_id": "c-1", "user": {"id": "u-1", "name": "Ivan"}}
    first, second = await client.in_scope("chats", body), await client.in_scope("chats", body)
    assert first.json == second.json
    assert first.json["user"]["client_id"] == "u-1"
    assert (server.account.contacts, server.account.leads) == ({}, [])


async def history(client: Client, chat_id: str, query: str = "") -> tuple[int, list[str]]:
    path = f"{client.server.account.scope_id}/chats/{chat_id}/history{query}"
    answer = await client.call("GET", path)
    if answer.status != 200:
        return answer.status, []
    return 200, [entry["message"]["client_id"] for entry in answer.json["messages"]]


async def test_history_is_paged_newest_first(server: PretendedAmoCRM, client: Client) -> None:
    """History gives the newest first, a page at a time."""
    for number in range(3):
        await client.message(f"m-{number}")
    [chat_id] = server.account.chats
    assert await history(client, chat_id, "?limit=2") == (200, ["m-2", "m-1"])
    assert await history(client, chat_id, "?offset=2&limit=2") == (200, ["m-0"])


async def test_history_of_nothing_is_204(server: PretendedAmoCRM, client: Client) -> None:
    """No chat, or no messages, is answered 204."""
    assert await history(client, "none") == (204, [])


@pytest.mark.parametrize("query", ["?limit=51", "?limit=x", "?offset=-1"])
async def test_history_has_a_longest_page(
    server: PretendedAmoCRM, client: Client, query: str
) -> None:
    """A page has at most fifty messages."""
    assert (await history(client, "any", query))[0] == 400


async def test_a_sink_takes_what_a_strict_server_would_not(clock: Clock) -> None:
    """Without strictness neither signature nor shape is looked at; messages are kept once still."""
    async with PretendedAmoCRM(strict=False, now_ms=clock) as server, talking(server) as client:
        for _ in range(2):
            await client.post(new_message(timestamp="soon"), spoil={"X-Signature": None})
        assert len(server.account.messages) == 1
        assert server.violations == []
