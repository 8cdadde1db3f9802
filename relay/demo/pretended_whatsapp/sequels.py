"""What people do with messages of the pretended WhatsApp afterwards: edit, take back, react."""

from __future__ import annotations

from relay.demo.pretended_whatsapp.payload import holds
from relay.demo.pretended_whatsapp.things import Author, Bubble
from relay.demo.pretended_whatsapp.world import LONGEST_TEXT, UnfitError, World

LONGEST_EMOJI = 16
"""Characters; a flag of a region has fourteen."""

_CAPTIONED = ("image", "video", "document")


def client_edits(world: World, bubble_id: str, text: str) -> None:
    """A client writes a message of his anew.

    Raises:
        UnfitError: there is nothing of his to write anew, or his phone is off.
    """
    bubble = _own(world, bubble_id)
    if bubble.thing is not None and (bubble.file is None or bubble.file.what not in _CAPTIONED):
        raise UnfitError("it has no words that could be written anew")
    if not text.strip() or len(text) > LONGEST_TEXT:
        raise UnfitError(f"a message has 1 to {LONGEST_TEXT} characters")
    bubble.text, bubble.edited = text, True
    world.tell(bubble, "edited", text=text, **holds(bubble.id, bubble.thing))


def client_takes_back(world: World, bubble_id: str) -> None:
    """A client deletes a message of his for everybody.

    Raises:
        UnfitError: there is nothing of his to delete, or his phone is off.
    """
    bubble = _own(world, bubble_id)
    bubble.text, bubble.thing, bubble.deleted = "", None, True
    bubble.reactions.clear()
    world.tell(bubble, "deleted")


def client_reacts(world: World, bubble_id: str, emoji: str) -> None:
    """A client puts an emoji on a message; an empty one takes his off.

    Raises:
        UnfitError: there is no such message, or his phone is off.
    """
    bubble = _standing(world, bubble_id)
    _react(bubble, "client", emoji)
    world.tell(bubble, "reacted", emoji=emoji)


def relay_reacts(world: World, bubble_id: str, emoji: str) -> bool:
    """The linked device puts an emoji on a message; whether there is one to put it on."""
    bubble = world.bubble(bubble_id)
    if bubble is None:
        return False
    _react(bubble, "relay", emoji)
    world.changed()
    return True


def _react(bubble: Bubble, who: Author, emoji: str) -> None:
    bubble.reactions.pop(who, None)
    if emoji:
        bubble.reactions[who] = emoji[:LONGEST_EMOJI]


def _own(world: World, bubble_id: str) -> Bubble:
    bubble = _standing(world, bubble_id)
    if bubble.author != "client":
        raise UnfitError("this message is somebody else's")
    return bubble


def _standing(world: World, bubble_id: str) -> Bubble:
    bubble = world.bubble(bubble_id)
    if bubble is None or bubble.deleted:
        raise UnfitError("there is no such message any more")
    if not world.people[bubble.person].online:
        raise UnfitError("the client's phone is off")
    return bubble
