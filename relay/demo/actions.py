"""What the page may ask for: each action with its fields, checked, and what it does."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from relay.demo.errands import BusyError
from relay.demo.file import LARGEST
from relay.demo.pretended_whatsapp.sequels import (
    LONGEST_EMOJI,
    client_edits,
    client_reacts,
    client_takes_back,
)
from relay.demo.pretended_whatsapp.world import LONGEST_TEXT, UnfitError
from relay.demo.show import Show
from relay.demo.trouble import Trouble
from relay.domain.ids import OwnNumber, source_id

_MOST_MESSAGES = 2_000

Id = Annotated[str, Field(min_length=1, max_length=100)]
Text = Annotated[str, Field(min_length=1, max_length=LONGEST_TEXT, pattern=r"\S")]


Emoji = Annotated[str, Field(max_length=LONGEST_EMOJI)]


class _Action(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class ClientWrites(_Action):
    """A client writes to a channel."""

    do: Literal["client_writes"]
    person: Id
    channel: Id
    text: Text
    quotes: Id | None = None


class ClientEdits(_Action):
    """A client writes a message of his anew."""

    do: Literal["client_edits"]
    bubble: Id
    text: Text


class ClientTakesBack(_Action):
    """A client deletes a message of his for everybody."""

    do: Literal["client_takes_back"]
    bubble: Id


class ClientReacts(_Action):
    """A client puts an emoji on a message, or takes his off (empty)."""

    do: Literal["client_reacts"]
    bubble: Id
    emoji: Emoji


class OwnerTypes(_Action):
    """The owner writes to a client on the handset of a channel."""

    do: Literal["owner_types"]
    person: Id
    channel: Id
    text: Text


class ClientReads(_Action):
    """A client opens the chat with a channel."""

    do: Literal["client_reads"]
    person: Id
    channel: Id


class SwitchClient(_Action):
    """A client's phone is turned on or off."""

    do: Literal["switch_client"]
    person: Id
    on: bool


class SwitchLine(_Action):
    """A channel is connected to WhatsApp, or cut off."""

    do: Literal["switch_line"]
    channel: Id
    on: bool


class ManagerWrites(_Action):
    """A manager writes into a chat of amoCRM; the robot, if no user is named."""

    do: Literal["manager_writes"]
    chat: Id
    user: int | None
    text: Text
    quotes: Id | None = None


class ManagerReacts(_Action):
    """A manager puts an emoji on a message, or takes his off (empty)."""

    do: Literal["manager_reacts"]
    message: Id
    user: int
    emoji: Emoji


class WriteFirst(_Action):
    """A manager begins a conversation with a number, in any notation.

    ``source``: the channel whose source he chose; None if he chose none.
    """

    do: Literal["write_first"]
    phone: Annotated[str, Field(min_length=3, max_length=40, pattern=r"\d")]
    user: int | None
    source: Id | None = None
    text: Text


class SwitchTrouble(_Action):
    """amoCRM begins to do something wrong, or ends it."""

    do: Literal["switch_trouble"]
    trouble: Annotated[Trouble, Field(strict=False)]
    on: bool


class Save(_Action):
    """The file is saved."""

    do: Literal["save"]
    text: Annotated[str, Field(max_length=LARGEST)]


class Kill(_Action):
    """``kill -9`` for the relay."""

    do: Literal["kill"]


Action = (
    ClientWrites
    | ClientEdits
    | ClientTakesBack
    | ClientReacts
    | ManagerReacts
    | OwnerTypes
    | ClientReads
    | SwitchClient
    | SwitchLine
    | ManagerWrites
    | WriteFirst
    | SwitchTrouble
    | Save
    | Kill
)

_ADAPTER: TypeAdapter[Action] = TypeAdapter(Annotated[Action, Field(discriminator="do")])


def parse(body: bytes) -> Action:
    """The action in a request's body.

    Raises:
        ValueError: it is none.
    """
    return _ADAPTER.validate_json(body)


async def perform(show: Show, action: Action) -> None:
    """Do it. A hook that follows from it is sent, but not waited for.

    Raises:
        UnfitError: it makes no sense now.
        BusyError: too much is under way.
    """
    if len(show.world.bubbles) + len(show.crm.account.messages) > _MOST_MESSAGES:
        raise BusyError("the demonstration is full: start it again")
    match action:
        case ClientWrites():
            show.world.client_writes(
                action.person, action.channel, action.text, quotes=action.quotes
            )
        case ClientEdits():
            client_edits(show.world, action.bubble, action.text)
        case ClientTakesBack():
            client_takes_back(show.world, action.bubble)
        case ClientReacts():
            client_reacts(show.world, action.bubble, action.emoji)
        case OwnerTypes():
            show.world.owner_types(action.person, action.channel, action.text)
        case ClientReads():
            show.world.client_reads(action.person, action.channel)
        case SwitchClient():
            show.world.switch_client(action.person, action.on)
        case SwitchLine():
            show.world.switch_line(action.channel, action.on)
        case _:
            await _perform_rest(show, action)


async def _perform_rest(show: Show, action: Action) -> None:
    match action:
        case ManagerWrites():
            _manager_writes(show, action)
        case ManagerReacts():
            _manager_reacts(show, action)
        case WriteFirst():
            _write_first(show, action)
        case SwitchTrouble():
            await show.switches.turn(action.trouble, action.on)
            show.changes.changed()
        case Save():
            show.save(action.text)
        case Kill():
            show.keeper.kill()


def _manager_writes(show: Show, action: ManagerWrites) -> None:
    if action.chat not in show.crm.account.chats:
        raise UnfitError(f"there is no chat {action.chat!r}")
    _known_user(show, action.user)
    if action.user is None:
        show.errands.send(partial(show.crm.write_as_robot, action.chat, action.text))
    else:
        quoted = {"reply_to": {"message": {"id": action.quotes}}} if action.quotes else None
        write = show.crm.write
        show.errands.send(partial(write, action.chat, action.user, action.text, content=quoted))


def _manager_reacts(show: Show, action: ManagerReacts) -> None:
    if action.message not in show.crm.account.message_by_id:
        raise UnfitError(f"there is no message {action.message!r}")
    _known_user(show, action.user)
    react = show.crm.reaction
    show.errands.send(partial(react, action.message, action.user, action.emoji or None))


def _write_first(show: Show, action: WriteFirst) -> None:
    _known_user(show, action.user)
    line = show.world.lines.get(action.source) if action.source else None
    if action.source is not None and line is None:
        raise UnfitError(f"no channel {action.source!r} was ever linked")
    source = source_id(OwnNumber(line.number)) if line else None
    begin = show.crm.write_first
    show.errands.send(partial(begin, action.phone, action.user, action.text, source=source))


def _known_user(show: Show, user: int | None) -> None:
    if user is not None and all(known.id != user for known in show.crm.account.users):
        raise UnfitError(f"there is no user {user}")
