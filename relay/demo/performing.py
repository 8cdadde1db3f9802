"""Does what the page asks for: each action, on the phones, in amoCRM or with the relay."""

from __future__ import annotations

from functools import partial

from relay.demo import actions
from relay.demo.errands import BusyError
from relay.demo.pretended_amocrm.state import JsonBody
from relay.demo.pretended_whatsapp import Attachment, Thing
from relay.demo.pretended_whatsapp.linking import take_code, unlink
from relay.demo.pretended_whatsapp.sequels import client_edits, client_reacts, client_takes_back
from relay.demo.pretended_whatsapp.world import UnfitError
from relay.demo.samples import sample
from relay.demo.sending import SAMPLE, as_message, as_sent, attach
from relay.demo.show import Show
from relay.domain.ids import OwnNumber, source_id

_MOST_MESSAGES = 2_000
_MOST_BYTES = 256 * 1000 * 1000  # of files, in this process


async def perform(show: Show, action: actions.Action) -> None:
    """Do it. A hook that follows from it is sent, but not waited for.

    Raises:
        UnfitError: it makes no sense now.
        BusyError: too much is under way.
    """
    if len(show.world.bubbles) + len(show.crm.account.messages) > _MOST_MESSAGES:
        raise BusyError("the demonstration is full: start it again")
    match action:
        case actions.SwitchTrouble():
            await show.switches.turn(action.trouble, action.on)
            show.changes.changed()
        case actions.Save():
            show.save(action.text)
        case actions.Kill():
            show.keeper.kill()
        case _:
            _on_phones(show, action)


def _on_phones(show: Show, action: actions.Action) -> None:
    world = show.world
    match action:
        case actions.ClientWrites(person=who, channel=channel, text=text, quotes=quotes):
            world.client_writes(who, channel, text, quotes=quotes)
        case actions.ClientSends(person=who, channel=channel, text=text, quotes=quotes):
            world.client_writes(who, channel, text, as_sent(_thing(show, action.thing)), quotes)
        case actions.ClientEdits(bubble=bubble, text=text):
            client_edits(world, bubble, text)
        case actions.ClientTakesBack(bubble=bubble):
            client_takes_back(world, bubble)
        case actions.ClientReacts(bubble=bubble, emoji=emoji):
            client_reacts(world, bubble, emoji)
        case actions.OwnerTypes(person=who, channel=channel, text=text):
            world.owner_types(who, channel, text)
        case actions.OwnerSends(person=who, channel=channel, text=text):
            world.owner_types(who, channel, text, as_sent(_thing(show, action.thing)))
        case actions.ClientReads(person=who, channel=channel):
            world.client_reads(who, channel)
        case actions.SwitchClient(person=who, on=on):
            world.switch_client(who, on)
        case actions.SwitchLine(channel=channel, on=on):
            world.switch_line(channel, on)
        case actions.UnlinkLine(channel=channel) | actions.TakeCode(channel=channel):
            (unlink if action.do == "unlink_line" else take_code)(world, channel)
        case _:
            _in_amocrm(show, action)


def _in_amocrm(show: Show, action: actions.Action) -> None:
    match action:
        case actions.ManagerWrites():
            _manager_writes(show, action)
        case actions.ManagerSends():
            _manager_sends(show, action)
        case actions.ManagerTypes():
            _known_chat(show, action.chat)
            _known_user(show, action.user)
            show.errands.send(partial(show.crm.typing, action.chat, action.user))
        case actions.ManagerReacts():
            _manager_reacts(show, action)
        case actions.WriteFirst():
            _write_first(show, action)


def _thing(show: Show, word: str) -> Thing:
    """The sample of that name, or what was uploaded."""
    if show.world.stored + show.crm.attachments.stored > _MOST_BYTES:
        raise BusyError("the demonstration is full: start it again")
    try:
        if word.startswith(SAMPLE):
            return sample(word.removeprefix(SAMPLE))
        return show.uploads.take(word)
    except KeyError:
        raise UnfitError("there is no such file any more") from None


def _manager_writes(show: Show, action: actions.ManagerWrites) -> None:
    _say(show, action, {})


def _manager_sends(show: Show, action: actions.ManagerSends) -> None:
    _known_chat(show, action.chat)
    thing = _thing(show, action.thing)
    if not isinstance(thing, Attachment):
        raise UnfitError("amoCRM sends files alone")
    _say(show, action, as_message(thing, show.crm.url + attach(show.crm.attachments, thing)))


def _say(
    show: Show, action: actions.ManagerWrites | actions.ManagerSends, content: JsonBody
) -> None:
    _known_chat(show, action.chat)
    _known_user(show, action.user)
    if action.user is None:
        write = partial(show.crm.write_as_robot, action.chat)
    else:
        write = partial(show.crm.write, action.chat, action.user)
        if action.quotes:
            content = {**content, "reply_to": {"message": {"id": action.quotes}}}
    show.errands.send(partial(write, action.text, content=content))


def _manager_reacts(show: Show, action: actions.ManagerReacts) -> None:
    if action.message not in show.crm.account.message_by_id:
        raise UnfitError(f"there is no message {action.message!r}")
    _known_user(show, action.user)
    react = show.crm.reaction
    show.errands.send(partial(react, action.message, action.user, action.emoji or None))


def _write_first(show: Show, action: actions.WriteFirst) -> None:
    _known_user(show, action.user)
    line = show.world.lines.get(action.source) if action.source else None
    if action.source is not None and line is None:
        raise UnfitError(f"no channel {action.source!r} was ever linked")
    source = source_id(OwnNumber(line.number)) if line else None
    begin = show.crm.write_first
    show.errands.send(partial(begin, action.phone, action.user, action.text, source=source))


def _known_chat(show: Show, chat: str) -> None:
    if chat not in show.crm.account.chats:
        raise UnfitError(f"there is no chat {chat!r}")


def _known_user(show: Show, user: int | None) -> None:
    if user is not None and all(known.id != user for known in show.crm.account.users):
        raise UnfitError(f"there is no user {user}")
