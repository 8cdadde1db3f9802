"""What the page may ask for: each action with its fields, checked."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from relay.demo.file import LARGEST
from relay.demo.pretended_whatsapp.sequels import LONGEST_EMOJI
from relay.demo.pretended_whatsapp.world import LONGEST_TEXT
from relay.demo.trouble import Trouble

Id = Annotated[str, Field(min_length=1, max_length=100)]
Text = Annotated[str, Field(min_length=1, max_length=LONGEST_TEXT, pattern=r"\S")]
Caption = Annotated[str, Field(max_length=LONGEST_TEXT)]
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


class ClientSends(_Action):
    """A client sends a file, a place or a card to a channel."""

    do: Literal["client_sends"]
    person: Id
    channel: Id
    thing: Id
    text: Caption = ""
    quotes: Id | None = None


class OwnerSends(_Action):
    """The owner sends one to a client on the handset of a channel."""

    do: Literal["owner_sends"]
    person: Id
    channel: Id
    thing: Id
    text: Caption = ""


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


class UnlinkLine(_Action):
    """The owner removes the relay's device on the phone of a channel."""

    do: Literal["unlink_line"]
    channel: Id


class TakeCode(_Action):
    """The phone of a channel takes the code that is shown for it."""

    do: Literal["take_code"]
    channel: Id


class ManagerWrites(_Action):
    """A manager writes into a chat of amoCRM; the robot, if no user is named."""

    do: Literal["manager_writes"]
    chat: Id
    user: int | None
    text: Text
    quotes: Id | None = None


class ManagerSends(_Action):
    """A manager sends a file into a chat of amoCRM; the robot, if no user is named."""

    do: Literal["manager_sends"]
    chat: Id
    user: int | None
    thing: Id
    text: Caption = ""
    quotes: Id | None = None


class ManagerTypes(_Action):
    """A manager is typing in a chat of amoCRM."""

    do: Literal["manager_types"]
    chat: Id
    user: int


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

_ADAPTER: TypeAdapter[Action] = TypeAdapter(Annotated[Action, Field(discriminator="do")])


def parse(body: bytes) -> Action:
    """The action in a request's body.

    Raises:
        ValueError: it is none.
    """
    return _ADAPTER.validate_json(body)
