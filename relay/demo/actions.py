"""What the page may ask for: each action with its fields, checked."""

from __future__ import annotations

import json
import re
from typing import Annotated, ClassVar, get_args

from relay.config.parts import Part, read_part
from relay.config.shapes import Leaf
from relay.config.values import WrongValueError
from relay.demo.file import LARGEST
from relay.demo.pretended_whatsapp.sequels import LONGEST_EMOJI
from relay.demo.pretended_whatsapp.world import LONGEST_TEXT
from relay.demo.trouble import Trouble


def _text(least: int, most: int, holds: str = "") -> Leaf:
    def read(value: object) -> str:
        if isinstance(value, str) and least <= len(value) <= most and re.search(holds, value):
            return value
        raise WrongValueError(f"expected text of {least} to {most} characters")

    return Leaf(read, {})


def _exactly(kind: type) -> Leaf:
    def read(value: object) -> object:
        if type(value) is kind:
            return value
        raise WrongValueError(f"expected {kind.__name__}")

    return Leaf(read, {})


def _trouble(value: object) -> Trouble:
    try:
        return Trouble(str(value))
    except ValueError as error:
        raise WrongValueError(str(error)) from None


Id = Annotated[str, _text(1, 100)]
Text = Annotated[str, _text(1, LONGEST_TEXT, r"\S")]
Caption = Annotated[str, _text(0, LONGEST_TEXT)]
Emoji = Annotated[str, _text(0, LONGEST_EMOJI)]
Number = Annotated[str, _text(3, 40, r"\d")]
File = Annotated[str, _text(0, LARGEST)]
User = Annotated[int, _exactly(int)]
Switch = Annotated[bool, _exactly(bool)]


class ClientWrites(Part):
    """A client writes to a channel."""

    do: ClassVar = "client_writes"
    person: Id
    channel: Id
    text: Text
    quotes: Id | None = None


class ClientEdits(Part):
    """A client writes a message of his anew."""

    do: ClassVar = "client_edits"
    bubble: Id
    text: Text


class ClientTakesBack(Part):
    """A client deletes a message of his for everybody."""

    do: ClassVar = "client_takes_back"
    bubble: Id


class ClientReacts(Part):
    """A client puts an emoji on a message, or takes his off (empty)."""

    do: ClassVar = "client_reacts"
    bubble: Id
    emoji: Emoji


class ClientSends(Part):
    """A client sends a file, a place or a card to a channel."""

    do: ClassVar = "client_sends"
    person: Id
    channel: Id
    thing: Id
    text: Caption = ""
    quotes: Id | None = None


class OwnerSends(Part):
    """The owner sends one to a client on the handset of a channel."""

    do: ClassVar = "owner_sends"
    person: Id
    channel: Id
    thing: Id
    text: Caption = ""


class OwnerTypes(Part):
    """The owner writes to a client on the handset of a channel."""

    do: ClassVar = "owner_types"
    person: Id
    channel: Id
    text: Text


class ClientReads(Part):
    """A client opens the chat with a channel."""

    do: ClassVar = "client_reads"
    person: Id
    channel: Id


class SwitchClient(Part):
    """A client's phone is turned on or off."""

    do: ClassVar = "switch_client"
    person: Id
    on: Switch


class SwitchLine(Part):
    """A channel is connected to WhatsApp, or cut off."""

    do: ClassVar = "switch_line"
    channel: Id
    on: Switch


class UnlinkLine(Part):
    """The owner removes the relay's device on the phone of a channel."""

    do: ClassVar = "unlink_line"
    channel: Id


class TakeCode(Part):
    """The phone of a channel takes the code that is shown for it."""

    do: ClassVar = "take_code"
    channel: Id


class ManagerWrites(Part):
    """A manager writes into a chat of amoCRM; the robot, if no user is named."""

    do: ClassVar = "manager_writes"
    chat: Id
    user: User | None
    text: Text
    quotes: Id | None = None


class ManagerSends(Part):
    """A manager sends a file into a chat of amoCRM; the robot, if no user is named."""

    do: ClassVar = "manager_sends"
    chat: Id
    user: User | None
    thing: Id
    text: Caption = ""
    quotes: Id | None = None


class ManagerTypes(Part):
    """A manager is typing in a chat of amoCRM."""

    do: ClassVar = "manager_types"
    chat: Id
    user: User


class ManagerReacts(Part):
    """A manager puts an emoji on a message, or takes his off (empty)."""

    do: ClassVar = "manager_reacts"
    message: Id
    user: User
    emoji: Emoji


class WriteFirst(Part):
    """A manager begins a conversation with a number, in any notation.

    ``source``: the channel whose source he chose; None if he chose none.
    """

    do: ClassVar = "write_first"
    phone: Number
    user: User | None
    source: Id | None = None
    text: Text


class SwitchTrouble(Part):
    """amoCRM begins to do something wrong, or ends it."""

    do: ClassVar = "switch_trouble"
    trouble: Annotated[Trouble, Leaf(_trouble, {})]
    on: Switch


class Save(Part):
    """The file is saved."""

    do: ClassVar = "save"
    text: File


class Kill(Part):
    """``kill -9`` for the relay."""

    do: ClassVar = "kill"


Action = (
    ClientWrites
    | ClientEdits
    | ClientTakesBack
    | ClientReacts
    | ClientSends
    | OwnerSends
    | ManagerSends
    | ManagerTypes
    | ManagerReacts
    | OwnerTypes
    | ClientReads
    | SwitchClient
    | SwitchLine
    | UnlinkLine
    | TakeCode
    | ManagerWrites
    | WriteFirst
    | SwitchTrouble
    | Save
    | Kill
)

_ACTIONS: dict[str, type[Action]] = {action.do: action for action in get_args(Action)}


def parse(body: bytes) -> Action:
    """The action in a request's body.

    Raises:
        ValueError: it is none.
    """
    told = json.loads(body)
    kind = _ACTIONS.get(told.pop("do", "")) if isinstance(told, dict) else None
    if kind is None:
        raise ValueError("not an action")
    action, faults = read_part(kind, told)
    if action is None:
        raise ValueError(f"not an action: {faults[0].path}: {faults[0].message}")
    return action
