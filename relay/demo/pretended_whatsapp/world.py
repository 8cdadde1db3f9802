"""The pretended WhatsApp itself: who has a phone, who wrote what, and what is held for whom.

Everything here is plain and synchronous; :mod:`exchange` connects it to the relay. WhatsApp keeps
what happens on a line until the line's linked device has taken it, so nothing is lost while that
device is away.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Literal

from relay.demo.pretended_whatsapp import payload
from relay.demo.pretended_whatsapp.things import (
    Attachment,
    Author,
    Bubble,
    Held,
    Line,
    Person,
    Thing,
    Tick,
)

LONGEST_TEXT = 4096
"""Characters of a message; more is refused, as the page's field would."""

_FIRST_NUMBER = 74950000001
_MOST_HELD = 10_000
_TYPING_MS = 6_000  # amoCRM repeats it every five seconds


class UnfitError(ValueError):
    """What was asked for makes no sense here; the text says why."""


class World:
    """All of WhatsApp that there is.

    Args:
        people: Everyone who has WhatsApp; any other number is not registered.
        now_ms: The time, in milliseconds since the epoch.
        new_id: Where WhatsApp's message ids come from.
    """

    def __init__(
        self, people: Iterable[Person], now_ms: Callable[[], int], new_id: Callable[[], str]
    ) -> None:
        self.people = {person.id: person for person in people}
        self.lines: dict[str, Line] = {}
        self.bubbles: list[Bubble] = []
        self.typing_until_ms: dict[tuple[str, str], int] = {}
        self._files: dict[str, bytes] = {}
        self._now_ms = now_ms
        self._new_id = new_id
        self._listeners: list[Callable[[], None]] = []

    def on_change(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Call ``listener`` after every change; the function returned ends that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def line(self, channel: str) -> Line:
        """The number of a channel; a channel never seen is given a new one."""
        if channel not in self.lines:
            self.lines[channel] = Line(channel, str(_FIRST_NUMBER + len(self.lines)))
            self.changed()
        return self.lines[channel]

    def person_of(self, number: str) -> Person | None:
        """Who has this number (digits); None if it is not registered."""
        return next((p for p in self.people.values() if p.number == number), None)

    # --- What people do --------------------------------------------------------------------------

    def client_writes(
        self,
        person: str,
        channel: str,
        text: str,
        thing: Thing | None = None,
        quotes: str | None = None,
    ) -> Bubble:
        """A client writes to a channel's number; with a file, the text is its caption."""
        client, line = self._person(person), self._line(channel)
        if not client.online:
            raise UnfitError("the client's phone is off")
        return self._into_line(client, line, "client", text, thing, quotes=quotes)

    def owner_types(
        self, person: str, channel: str, text: str, thing: Thing | None = None
    ) -> Bubble:
        """The owner writes to a client on the handset; the linked device hears of it."""
        client, line = self._person(person), self._line(channel)
        bubble = self._into_line(client, line, "phone", text, thing)
        self._reach(bubble, client)
        return bubble

    def client_reads(self, person: str, channel: str) -> None:
        """A client opens the chat: everything that has come there is read."""
        client, line = self._person(person), self._line(channel)
        if client.online:
            self._receipt(client, line, Tick.READ)

    def switch_client(self, person: str, online: bool) -> None:
        """Turn a client's phone off, or on: then it gets what WhatsApp held for it."""
        client = self._person(person)
        client.online = online
        for line in self.lines.values() if online else ():
            self._receipt(client, line, Tick.DELIVERED)
        self.changed()

    def switch_line(self, channel: str, online: bool) -> None:
        """Cut a channel off from WhatsApp, or connect it again."""
        self._line(channel).online = online
        self.changed()

    # --- What the linked device does -------------------------------------------------------------

    def link(self, channel: str, linked: bool) -> None:
        """A linked device has come for this channel, or has gone."""
        self.line(channel).linked = linked
        self.changed()

    def file(self, ref: str) -> bytes | None:
        """The bytes of a message's file, or of a picture; None if WhatsApp has them not."""
        shown = {person.picture_ref: person.picture for person in self.people.values()}
        return shown.get(ref, self._files.get(ref))

    @property
    def stored(self) -> int:
        """Bytes of all files that WhatsApp keeps."""
        return sum(map(len, self._files.values()))

    def expire(self, bubble: Bubble) -> None:
        """WhatsApp's servers forget a file."""
        self._files.pop(bubble.id, None)

    def send(
        self,
        channel: str,
        to: str,
        text: str,
        file: Attachment | None = None,
        quotes: str | None = None,
    ) -> Bubble | None:
        """The linked device sends; None if the number is not on WhatsApp."""
        client = self.person_of(to)
        if client is None:
            return None
        line = self._line(channel)
        bubble = self._bubble(client, line, "relay", text, file)
        bubble.quotes = quotes
        self.typing_until_ms.pop((channel, client.id), None)
        self._reach(bubble, client)
        self.changed()
        return bubble

    def type(self, channel: str, to: str) -> None:
        """The linked device is typing to a number: its phone shows so for a while."""
        client = self.person_of(to)
        if client is not None and client.online:
            self.typing_until_ms[channel, client.id] = self._now_ms() + _TYPING_MS
            self.changed()

    def taken(self, channel: str) -> None:
        """The linked device has the first of what is held for it."""
        line = self._line(channel)
        held = line.held.popleft()
        if held.bubble is not None and held.bubble.author == "client":
            held.bubble.tick = Tick.DELIVERED
        self.changed()

    def bubble(self, id_: str) -> Bubble | None:
        """The message with this id."""
        return next((bubble for bubble in self.bubbles if bubble.id == id_), None)

    def tell(self, bubble: Bubble, happened: str, **more: object) -> None:
        """The linked device is to hear what its client did with a message."""
        client, line = self._person(bubble.person), self._line(bubble.line)
        raw = payload.sequel(
            happened, id_=self._new_id(), target=bubble.id, own=line.number, client=client.number,
            name=client.name, at_ms=self._now_ms(), **more,
        )  # fmt: skip
        line.held.append(Held(raw))
        self.changed()

    # --- Inside ----------------------------------------------------------------------------------

    def _into_line(
        self,
        client: Person,
        line: Line,
        author: Literal["client", "phone"],
        text: str,
        thing: Thing | None = None,
        *,
        quotes: str | None = None,
    ) -> Bubble:
        if len(line.held) >= _MOST_HELD:
            raise UnfitError("WhatsApp holds too much for this channel already")
        bubble = self._bubble(client, line, author, text, thing)
        bubble.quotes = quotes
        raw = payload.message(
            id_=bubble.id,
            own=line.number,
            client=client.number,
            name=client.name,
            from_phone=author == "phone",
            text=text,
            at_ms=bubble.at_ms,
            holds=payload.holds(bubble.id, thing),
            quotes=quotes,
        )
        line.held.append(Held(raw, bubble))
        self.changed()
        return bubble

    def _bubble(
        self,
        client: Person,
        line: Line,
        author: Author,
        text: str,
        thing: Thing | None = None,
    ) -> Bubble:
        if (thing is None and not text.strip()) or len(text) > LONGEST_TEXT:
            raise UnfitError(f"a message has 1 to {LONGEST_TEXT} characters")
        bubble = Bubble(
            self._new_id(), line.channel, client.id, author, text, self._now_ms(), thing=thing
        )
        if isinstance(thing, Attachment):
            self._files[bubble.id] = thing.data
        self.bubbles.append(bubble)
        return bubble

    def _reach(self, bubble: Bubble, client: Person) -> None:
        """The message is at the client's phone, if that is on."""
        if client.online:
            self._raise([bubble], self._line(bubble.line), Tick.DELIVERED)

    def _receipt(self, client: Person, line: Line, tick: Tick) -> None:
        mine = [
            b
            for b in self.bubbles
            if b.line == line.channel and b.person == client.id and b.author != "client"
        ]
        self._raise([b for b in mine if b.tick < tick], line, tick)

    def _raise(self, bubbles: list[Bubble], line: Line, tick: Tick) -> None:
        for bubble in bubbles:
            bubble.tick = tick
        if bubbles:
            ids = [bubble.id for bubble in bubbles]
            raw = payload.receipt(
                own=line.number, ids=ids, read=tick is Tick.READ, at_ms=self._now_ms()
            )
            line.held.append(Held(raw))
            self.changed()

    def _person(self, person: str) -> Person:
        if person not in self.people:
            raise UnfitError(f"there is no client {person!r}")
        return self.people[person]

    def _line(self, channel: str) -> Line:
        if channel not in self.lines:
            raise UnfitError(f"no channel {channel!r} was ever linked")
        return self.lines[channel]

    def changed(self) -> None:
        """Tell every listener."""
        for listener in tuple(self._listeners):
            listener()
