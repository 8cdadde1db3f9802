"""What becomes of messages, both ways, through everything that is real."""

from __future__ import annotations

from relay.demo.pretended_amocrm import OLGA, Message
from tests.app import files
from tests.whatsapp_server import Contact, content
from tests.whole.test_files import JPEG, pass_on
from tests.whole.test_texts import ANNA, CHAT, Town, town  # noqa: F401 - town is a fixture


async def begun(town: Town, text: str = "в 5") -> tuple[Contact, str, Message]:  # noqa: F811
    """Anna has written: she, the id on WhatsApp, and the message in amoCRM."""
    anna = town.whatsapp.contact(ANNA, "Анна")
    id_ = await anna.send(town.phone, text)
    await town.until_in_amocrm(1)
    return anna, id_, town.amocrm.account.messages[0]


async def until(town: Town, message: Message, text: str) -> None:  # noqa: F811
    await town.amocrm.wait_for(lambda _: message.text == text, 30)


async def test_a_client_edits_reacts_answers_and_takes_back(town: Town) -> None:  # noqa: F811
    """Each on the very message that amoCRM has, which stays readable after all."""
    async with town.relay():
        anna, first, message = await begun(town)
        await anna.edit(town.phone, first, "в 6")
        await until(town, message, "в 6")
        sent = await town.amocrm.write(CHAT, OLGA, "Ждём!")
        heard = await anna.received("Ждём!")
        await anna.react(town.phone, heard.id, "👍")
        await town.amocrm.wait_for(lambda _: sent.reactions == {f"wa-{ANNA}": "👍"}, 30)
        await anna.react(town.phone, heard.id, "")
        await town.amocrm.wait_for(lambda _: sent.reactions == {}, 30)
        await anna.send(town.phone, content.reply("Буду", heard.id, town.phone.lid))
        await town.until_in_amocrm(2)
        await anna.take_back(town.phone, first)
        await until(town, message, "[Удалено] в 6")
    assert town.amocrm.account.messages[-1].quoted_id == sent.id
    assert message.earlier_texts == ["в 5", "в 6"]


async def test_the_words_under_a_picture_are_edited_and_the_picture_stays(
    town: Town,  # noqa: F811
) -> None:
    """amoCRM has the same file as before, with the new words."""
    anna = town.whatsapp.contact(ANNA, "Анна")
    async with town.relay():
        pass_on(town)
        picture = town.whatsapp.media.message("image", JPEG, "image/jpeg", caption="вто")
        first = await anna.send(town.phone, picture)
        await town.until_in_amocrm(1)
        [message] = town.amocrm.account.messages
        await anna.edit(town.phone, first, content.caption("вот"))
        await until(town, message, "вот")
        came = await town.amocrm.attachments.fetch(message)
        assert came is not None
        assert came.content_type == "image/jpeg"
    assert message.kind == "picture"


async def test_a_reaction_is_the_first_answer_to_a_stranger(town: Town) -> None:  # noqa: F811
    """In a chat that amoCRM began, and that knows no id of ours yet."""
    anna = town.whatsapp.contact(ANNA, "Анна")
    async with town.relay():
        sent = await town.amocrm.write_first(f"+{ANNA}", OLGA, "Добрый день")
        heard = await anna.received("Добрый день")
        await anna.receipt(heard, "delivered")
        await town.amocrm.wait_for(lambda _: len(sent.reports) == 1, 30)
        await anna.react(town.phone, heard.id, "🙏")
        await town.amocrm.wait_for(lambda _: list(sent.reactions.values()) == ["🙏"], 30)


async def test_what_the_owner_does_on_his_phone_is_shown(town: Town) -> None:  # noqa: F811
    """With ``import_sent_from_phone``: in the bot's name, also on what a manager wrote."""
    tree = files.config(town.amocrm, settings={"import_sent_from_phone": True})
    files.save(town.config, tree)
    async with town.relay():
        anna, first, message = await begun(town)
        await town.phone.react(anna, first, "👌")
        bot = town.amocrm.identity.bot.id
        await town.amocrm.wait_for(lambda _: message.reactions == {bot: "👌"}, 30)
        sent = await town.amocrm.write(CHAT, OLGA, "Ждём в 7")
        heard = await anna.received("Ждём в 7")
        await anna.receipt(heard, "delivered")
        await town.amocrm.wait_for(lambda _: len(sent.reports) == 1, 30)
        await town.phone.edit(anna, heard.id, "Ждём в 6")
        await until(town, sent, "Ждём в 6")


async def test_a_manager_answers_and_reacts_and_is_seen_typing(town: Town) -> None:  # noqa: F811
    """The client sees what is answered, the emoji on his message, and that somebody writes."""
    async with town.relay():
        anna, first, message = await begun(town)
        device = town.whatsapp.session(town.phone)
        await town.amocrm.typing(CHAT, OLGA)
        shown = await device.said.take(lambda said: said.tag == "chatstate", what="typing")
        assert [child.tag for child in shown.children] == ["composing"]
        answer = {"reply_to": {"message": {"id": message.id}}}
        await town.amocrm.write(CHAT, OLGA, "Ждём", content=answer)
        quotation = content.quotation_of((await anna.received("Ждём")).message)
        assert quotation is not None
        assert (quotation.target_id, quotation.text) == (first, "в 5")
        assert quotation.author.user in {anna.number, anna.lid.user}
        await town.amocrm.reaction(message.id, OLGA, "❤️")
        await town.amocrm.reaction(message.id, OLGA, None)
        seen = []
        for _ in range(2):
            heard = await anna.messages.take(
                lambda h: content.reaction_of(h.message) is not None, what="a reaction"
            )
            found = content.reaction_of(heard.message)
            assert found is not None
            seen.append((found.emoji, found.target_id, found.own))
    assert seen == [("❤️", first, False), ("", first, False)]


async def test_a_kill_between_loses_and_doubles_nothing(town: Town) -> None:  # noqa: F811
    """After kill -9: an edit that came meanwhile is told, and a reaction repeated is the same."""
    async with town.relay() as relay:
        anna, first, message = await begun(town)
        await town.amocrm.reaction(message.id, OLGA, "❤️")
        await relay.kill()
    await anna.edit(town.phone, first, "в 6")
    await anna.react(town.phone, first, "😀", to_own=True)
    async with town.relay():
        await until(town, message, "в 6")
        await town.amocrm.wait_for(lambda _: message.reactions.get(f"wa-{ANNA}") == "😀", 30)
        await anna.messages.take(
            lambda h: content.reaction_of(h.message) is not None, what="the reaction"
        )
    seen = [content.reaction_of(heard.message) for heard in anna.messages.history]
    assert {found.emoji for found in seen if found and not found.own} == {"❤️"}
    assert message.earlier_texts == ["в 5"]
