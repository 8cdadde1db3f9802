"""What WhatsApp hands over at linking, taken apart into messages like any other. Pure.

A chunk of history holds chats with their messages, newest first, in the wrappers in which they were
sent, and knows people by numbers, by hidden addresses, or by both.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from relay.whatsapp.linked_device.addressing import HIDDEN_SERVER, NUMBER_SERVER
from relay.whatsapp.linked_device.protobufs import as_text, load, new_info, new_jid, parse

PAST, PAST_NEWS = 1002, 1003
"""The codes of payloads that hold one such message, beyond all of the library's codes: one that
enters without a sound, and a client's newest."""

_CHAT_KINDS = frozenset({0, 2, 3})  # initial, full and recent chats; others hold no messages
_LAST_KINDS = frozenset({2, 3})
_DONE = 100
_VIEW_ONCE = ("viewOnceMessage", "viewOnceMessageV2", "viewOnceMessageV2Extension")
_WRAPPERS = (
    "ephemeralMessage",
    "documentWithCaptionMessage",
    "lottieStickerMessage",
    "editedMessage",
    *_VIEW_ONCE,
)
_DEEPEST = 4

Address = tuple[str, str]
_NOWHERE: Address = ("", "")


@dataclass(frozen=True, slots=True)
class Past:
    """One message of a chat. ``data`` is an event of the library's (``Message``) that says it.

    ``person`` is what tells chats apart: his number's digits, else his hidden address. ``hidden``
    is the other one where it is known.
    """

    person: str
    hidden: str
    id: str
    at_ms: int
    from_client: bool
    data: bytes


@dataclass(frozen=True, slots=True)
class Chunk:
    """What one event of history holds: messages, and names (person to name).

    ``last``: WhatsApp says that it has handed everything over.
    """

    messages: tuple[Past, ...]
    names: Mapping[str, str]
    last: bool


def read_chunk(data: bytes, since_ms: int) -> Chunk:
    """The messages with single people that are no older than ``since_ms``.

    Raises:
        ValueError: this is no event of history.
    """
    sync = _sync(data)
    numbers = {
        _user(as_text(pair.lidJID)): _user(as_text(pair.pnJID))
        for pair in sync.phoneNumberToLidMappings
    }
    names = {_user(as_text(name.ID)): as_text(name.pushname) for name in sync.pushnames}
    messages: list[Past] = []
    if sync.syncType in _CHAT_KINDS:
        for chat in sync.conversations:
            people = _people(chat, numbers)
            if people is not None:
                messages += _messages(chat, people, since_ms)
    known = {who: name for who, name in names.items() if name}
    return Chunk(tuple(messages), known, _last(sync))


def says_last(data: bytes) -> bool:
    """Whether an event of history says that it was the last; False if it cannot be read."""
    try:
        return _last(_sync(data))
    except ValueError:
        return False


def named(data: bytes, name: str) -> bytes:
    """The message with its sender's name, if it has none."""
    event: Any = parse("Message", data)
    if event.Info.Pushname or event.Info.MessageSource.IsFromMe:
        return data
    event.Info.Pushname = name
    told: bytes = event.SerializeToString()
    return told


def _sync(data: bytes) -> Any:
    event: Any = parse("HistorySync", data)
    return event.Data


def _last(sync: Any) -> bool:
    return sync.syncType in _LAST_KINDS and sync.progress >= _DONE


@dataclass(frozen=True, slots=True)
class _People:
    chat: Address
    beside: Address
    number: str
    hidden: str
    name: str


def _people(chat: Any, numbers: Mapping[str, str]) -> _People | None:
    """Whose chat it is; None for groups and the like."""
    user, server = _parts(as_text(chat.ID))
    if server == HIDDEN_SERVER:
        number, hidden = _user(as_text(chat.pnJID)) or numbers.get(user, ""), user
    elif server == NUMBER_SERVER:
        number, hidden = user, _user(as_text(chat.lidJID))
    else:
        return None
    by_number, by_hidden = (number, NUMBER_SERVER), (hidden, HIDDEN_SERVER)
    first, second = (by_hidden, by_number) if server == HIDDEN_SERVER else (by_number, by_hidden)
    name = as_text(chat.name) or as_text(chat.displayName)
    return _People(first, second if second[0] else _NOWHERE, number, hidden, name)


def _messages(chat: Any, people: _People, since_ms: int) -> Iterator[Past]:
    for entry in chat.messages:
        web = entry.message
        at_ms, id_ = int(web.messageTimestamp) * 1000, as_text(web.key.ID)
        if at_ms >= since_ms and id_ and web.HasField("message"):
            yield Past(
                person=people.number or people.hidden,
                hidden=people.hidden,
                id=id_,
                at_ms=at_ms,
                from_client=not web.key.fromMe,
                data=_event(web, people, id_, at_ms),
            )


def _event(web: Any, people: _People, id_: str, at_ms: int) -> bytes:
    """The event that the library would have made of the message, had it come by itself."""
    module, own = load(), bool(web.key.fromMe)
    body, view_once = _unwrapped(web.message)
    event = module.Message(
        IsEphemeral=False,
        IsViewOnce=view_once,
        IsViewOnceV2=False,
        IsViewOnceV2Extension=False,
        IsDocumentWithCaption=False,
        IsLottieSticker=False,
        IsEdit=False,
        UnavailableRequestID="",
        RetryCount=0,
    )
    event.Message.CopyFrom(body)
    info = new_info(
        id_,
        at_ms,
        "" if own else people.name or as_text(web.pushName),
        Chat=new_jid(*people.chat),
        Sender=new_jid(*people.chat),
        IsFromMe=own,
        IsGroup=False,
        **{"RecipientAlt" if own else "SenderAlt": new_jid(*people.beside)},
    )
    event.Info.CopyFrom(info)
    data: bytes = event.SerializePartialToString()
    return data


def _unwrapped(message: Any) -> tuple[Any, bool]:
    """What was sent, and whether its sender wants it seen once."""
    view_once = False
    for _ in range(_DEEPEST):
        wrapper = next((name for name in _WRAPPERS if message.HasField(name)), None)
        if wrapper is None or not getattr(message, wrapper).HasField("message"):
            break
        view_once = view_once or wrapper in _VIEW_ONCE
        message = getattr(message, wrapper).message
    return message, view_once


def _parts(jid: str) -> Address:
    user, _, server = jid.partition("@")
    return user.partition(":")[0], server


def _user(jid: str) -> str:
    return _parts(jid)[0]
