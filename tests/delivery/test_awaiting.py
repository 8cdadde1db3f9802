"""A message and its medium: what waits for what, for how long, and what if it never comes."""

from __future__ import annotations

from dataclasses import replace

from relay.delivery.awaiting import OUTGOING_MS, PATIENCE_MS
from relay.delivery.ports import MediaUnavailableError
from relay.domain.bodies import NewMessage, Reply, StatusUpdate
from relay.domain.contents import (
    UNDECRYPTABLE,
    Content,
    Kept,
    Loss,
    Lost,
    Media,
    MediaKind,
    Remote,
    Text,
    Unsupported,
)
from relay.domain.ids import ClientAddress, WhatsAppMessageId
from relay.domain.losses import refusal_words
from relay.domain.message import (
    Alias,
    Client,
    Failure,
    Received,
    Status,
    Written,
)
from relay.domain.outbox import Destination, Retry
from relay.domain.retry import HOUR, MINUTE, SECOND, RetryPolicy
from relay.domain.settings import Language
from tests.clock import settle
from tests.delivery.memory_store import MemoryStore
from tests.delivery.world import OWN, World, from_client, running, written

IN = "in:wa-74950000001-79001234567"
PHOTO = Media(MediaKind.IMAGE, Remote("photo"), caption="Вот", name="a.jpg", size=3)


def photo(id_: str, ref: str = "photo", size: int | None = 3) -> Received:
    return replace(from_client(id_), content=replace(PHOTO, at=Remote(ref), size=size))


def answer(id_: str, ref: str = "price") -> Written:
    return replace(written(id_), content=replace(PHOTO, at=Remote(ref), name="price.pdf"))


def told(world: World) -> list[Content]:
    bodies = [entry.letter.body for entry in world.into_amocrm.carried]
    return [body.content for body in bodies if isinstance(body, NewMessage)]


def sent(world: World) -> list[Content]:
    bodies = [entry.letter.body for entry in world.to_whatsapp.carried]
    return [body.content for body in bodies if isinstance(body, Reply)]


def failures(world: World) -> list[StatusUpdate]:
    bodies = [entry.letter.body for entry in world.into_amocrm.carried]
    return [body for body in bodies if isinstance(body, StatusUpdate)]


async def test_a_medium_goes_into_amocrm_as_a_file_of_our_own() -> None:
    """Its bytes are kept first; the message then names them, with what was found, and its words."""
    async with running() as world:
        world.media.remote["photo"] = b"abc"
        await world.hear(photo("A1"))
    kept = Media(MediaKind.IMAGE, Kept("kept-0"), "Вот", "a.jpg", "image/jpeg", 3)
    assert told(world) == [kept]
    assert world.media.kept == {"kept-0": b"abc"}
    assert world.media.towards == [Destination.AMOCRM]


async def test_a_medium_is_fetched_at_once_though_amocrm_is_away() -> None:
    """WhatsApp's links expire, so the bytes are brought whether they can be passed on or not."""
    async with running() as world:
        world.into_amocrm.plan(IN, *[Retry("down")] * 5)
        world.media.remote["photo"] = b"abc"
        await world.hear(from_client("A1"))
        await world.hear(photo("A2"))
        await settle()
        assert world.media.kept == {"kept-0": b"abc"}
        assert told(world) == [Text("Привет")]


async def test_the_order_of_a_conversation_is_kept_while_a_medium_comes() -> None:
    """What was written after the photo comes after the photo; other conversations do not wait."""
    async with running() as world:
        world.media.remote["photo"] = b"abc"
        world.media.gate.clear()
        await world.hear(photo("A1"))
        await world.hear(from_client("A2", "видно?"))
        await world.hear(from_client("B1", "мимо", client="79007654321"))
        await settle()
        assert told(world) == [Text("мимо")]
        world.media.gate.set()
        await settle()
    assert [type(content) for content in told(world)] == [Text, Media, Text]


async def test_a_photo_that_could_not_be_read_at_first_keeps_its_place() -> None:
    """It takes the place of what stood in for it, and there it waits for its bytes."""
    async with running() as world:
        world.media.remote["photo"] = b"abc"
        world.media.gate.clear()
        stand_in = WhatsAppMessageId("A1~")
        await world.hear(replace(from_client(stand_in), content=Unsupported(UNDECRYPTABLE)))
        await world.hear(from_client("A2", "видно?"))
        await world.hear(replace(photo("A1"), instead_of=stand_in))
        await world.clock.advance_ms(MINUTE)
        assert told(world) == []
        world.media.gate.set()
        await settle()
    assert [type(content) for content in told(world)] == [Media, Text]


async def test_several_attachments_stay_in_order() -> None:
    """However quickly each of them comes."""
    async with running() as world:
        world.media.remote = {"one": b"abc", "two": b"abc", "three": b"abc"}
        world.media.plan("one", MediaUnavailableError("later"))
        for ref in ("one", "two", "three"):
            await world.hear(photo(ref, ref))
        await settle()
        assert not told(world)
        await world.clock.advance_ms(5 * SECOND)
    refs = [entry.letter.key.rpartition("-")[2] for entry in world.into_amocrm.carried]
    assert refs == ["one", "two", "three"]


async def test_a_medium_that_is_gone_becomes_a_line_at_once() -> None:
    """What nobody has any more is not waited for."""
    async with running() as world:
        await world.hear(photo("A1", "nowhere"))
    [content] = told(world)
    assert isinstance(content, Media)
    assert (content.at, content.caption) == (Lost(Loss.GONE), "Вот")
    assert [s.kind for s in world.steps if s.event == "dead"] == ["fetch"]


async def test_a_medium_too_large_is_not_even_begun() -> None:
    """The limit is checked before, by what the sender says, and while it comes, by the bytes."""
    async with running() as world:
        world.media.limit = 100
        world.media.remote["photo"] = b"x" * 101
        await world.hear(photo("A1", size=101))
        await settle()
        assert not world.media.asked
        await world.hear(photo("A2", size=None))
    assert [c.at for c in told(world) if isinstance(c, Media)] == [Lost(Loss.TOO_LARGE, 100)] * 2
    assert not world.media.kept


async def test_an_empty_file_is_said_to_be_empty() -> None:
    """Nobody is sent nothing."""
    async with running() as world:
        world.media.remote["photo"] = b""
        await world.hear(photo("A1", size=None))
    assert [c.at for c in told(world) if isinstance(c, Media)] == [Lost(Loss.EMPTY)]


async def test_half_a_file_is_not_taken_for_the_whole() -> None:
    """A drop half-way is tried again; what came before counts for nothing."""
    async with running() as world:
        world.media.remote["photo"] = b"abc"
        world.media.plan("photo", MediaUnavailableError("dropped"))
        await world.hear(photo("A1"))
        await settle()
        assert not world.media.kept
        await world.clock.advance_ms(2 * SECOND)
    assert world.media.kept == {"kept-0": b"abc"}


async def test_a_sender_who_is_wrong_about_the_size_is_believed_less_and_less() -> None:
    """A file shorter than told is tried twice more, and then taken as it is."""
    async with running() as world:
        world.media.remote["photo"] = b"abc"
        await world.hear(photo("A1", size=900))
        await world.clock.advance_ms(10 * SECOND)
    assert len(world.media.asked) == 3
    assert [c.size for c in told(world) if isinstance(c, Media)] == [3]


async def test_a_full_disk_is_waited_for() -> None:
    """While there is no room, the fetching waits; then it goes on by itself."""
    async with running() as world:
        world.media.remote["photo"] = b"abc"
        world.media.full = True
        await world.hear(photo("A1"))
        await world.clock.advance_ms(20 * SECOND)
        assert not told(world)
        world.media.full = False
        await world.clock.advance_ms(MINUTE)
    assert [c.at for c in told(world) if isinstance(c, Media)] == [Kept("kept-0")]


async def test_a_text_never_waits_for_ever_for_its_medium() -> None:
    """When patience ends, the words go without the medium, which follows if it comes after all."""
    async with running() as world:
        world.media.remote["photo"] = b"abc"
        world.media.plan("photo", *[MediaUnavailableError("not connected")] * 9)
        await world.hear(photo("A1"))
        await world.hear(from_client("A2", "видно?"))
        await world.clock.advance_ms(PATIENCE_MS)
        first, second = told(world)
        assert isinstance(first, Media)
        assert (first.at, first.caption) == (Remote("photo"), "Вот")
        assert second == Text("видно?")
        await world.clock.advance_ms(HOUR)
        late = told(world)[2]
    assert late == Media(MediaKind.IMAGE, Kept("kept-0"), "", "a.jpg", "image/jpeg", 3)
    assert world.into_amocrm.keys[2] == "message:wa-74950000001-A1-file"


async def test_a_medium_that_comes_late_at_the_first_try_follows_and_nothing_else_does() -> None:
    """Its file is there: nobody is asked for it again, and nothing has died."""
    async with running() as world:
        world.media.remote["photo"] = b"abc"
        world.media.gate.clear()
        await world.hear(photo("A1"))
        await world.clock.advance_ms(PATIENCE_MS)
        world.media.gate.set()
        await world.clock.advance_ms(HOUR)
        assert world.into_amocrm.keys == [
            f"message:wa-74950000001-A1{end}" for end in ("", "-file")
        ]
        assert world.media.asked == ["photo"]
        assert set(world.events()) == {"accepted", "delivered"}


async def test_a_medium_that_never_comes_is_given_up_like_a_message() -> None:
    """After as long as any message, and the chat is told."""
    async with running(give_up_amocrm_ms=HOUR) as world:
        world.media.remote["photo"] = b"abc"
        world.media.plan("photo", *[MediaUnavailableError("not connected")] * 999)
        await world.hear(photo("A1"))
        await world.clock.advance_ms(HOUR + MINUTE)
        last = told(world)[-1]
    assert isinstance(last, Media)
    assert last.at == Lost(Loss.LATE)
    assert len(told(world)) == 2


async def test_a_restart_in_the_middle_of_fetching_fetches_again() -> None:
    """A kill costs the bytes so far, never the message."""
    store = MemoryStore()
    async with running(store) as world:
        world.media.gate.clear()
        await world.hear(photo("A1"))
        await settle()
        assert world.media.asked == ["photo"]

    def before(again: World) -> None:
        again.media.remote["photo"] = b"abc"

    async with running(store, world.clock, before=before) as again:
        await again.clock.advance_ms(SECOND)
    assert [c.at for c in told(again) if isinstance(c, Media)] == [Kept("kept-0")]


async def test_a_strangers_first_photo_still_waits_for_his_number() -> None:
    """A medium that comes at once does not shorten the wait for something else."""
    hidden = Client(ClientAddress("lid:5"), None, "Анна")
    async with running() as world:
        world.media.remote["photo"] = b"abc"
        await world.hear(replace(photo("A1"), client=hidden))
        await settle()
        assert world.media.kept
        assert not told(world)
        await world.clock.advance_ms(2 * SECOND)
        assert [c.at for c in told(world) if isinstance(c, Media)] == [Kept("kept-0")]


async def test_a_client_known_again_does_not_hurry_his_photo() -> None:
    """That two addresses are one client's moves what waits, but a medium is waited for still."""
    hidden = Client(ClientAddress("lid:5"), None, "Анна")
    async with running() as world:
        world.media.remote["photo"] = b"abc"
        world.media.gate.clear()
        await world.hear(from_client("A0"))
        await world.hear(replace(photo("A1"), client=hidden))
        await world.hear(Alias(OWN, ClientAddress("lid:5"), ClientAddress("79001234567")))
        await settle()
        assert told(world) == [Text("Привет")]
        world.media.gate.set()
        await settle()
    assert [c.at for c in told(world)[1:] if isinstance(c, Media)] == [Kept("kept-0")]
    assert world.into_amocrm.carried[1].letter.lane == IN


async def test_a_managers_file_reaches_the_client() -> None:
    """It is fetched from amoCRM, kept for the sending, and sent with its words."""
    async with running() as world:
        world.media.remote["price"] = b"abc"
        await world.hook(answer("m-1"))
    assert sent(world) == [
        Media(MediaKind.IMAGE, Kept("kept-0"), "Вот", "price.pdf", "image/jpeg", 3)
    ]
    assert world.media.towards == [Destination.WHATSAPP]


async def test_a_managers_file_that_cannot_be_had_fails_with_its_reason() -> None:
    """The client gets nothing of it, the manager a reason, and what follows goes on."""
    async with running() as world:
        world.media.limit = 2
        world.media.remote["price"] = b"abc"
        await world.hook(answer("m-1"))
        await world.hook(written("m-2"))
    lost = replace(PHOTO, at=Lost(Loss.TOO_LARGE, 2), name="price.pdf")
    words = refusal_words(lost, Lost(Loss.TOO_LARGE, 2), Language.RU)
    assert sent(world) == [Text("Добрый день")]
    [failed] = failures(world)
    assert (failed.status, failed.failure, failed.reason) == (Status.FAILED, Failure.OTHER, words)
    assert "price.pdf" in words
    assert sorted(s.kind or "" for s in world.steps if s.event == "dead") == ["fetch", "reply"]


async def test_a_managers_file_is_retried_for_minutes_only() -> None:
    """Then he is told, before the message itself would go out of its time."""
    async with running() as world:
        world.media.remote["price"] = b"abc"
        world.media.plan("price", *[MediaUnavailableError("503")] * 99)
        await world.hook(answer("m-1"))
        await world.clock.advance_ms(OUTGOING_MS + SECOND)
    assert len(world.media.asked) > 5
    assert not sent(world)
    assert [f.reason for f in failures(world)] == [
        refusal_words(replace(PHOTO, name="price.pdf"), Lost(Loss.LATE), Language.RU)
    ]


async def test_a_clients_own_word_does_not_hurry_a_managers_file() -> None:
    """That the client has written frees what waits for its turn, not what waits for its file."""
    async with running() as world:
        world.media.remote["price"] = b"abc"
        world.media.gate.clear()
        await world.hook(answer("m-1"))
        await world.hear(from_client("A1"))
        await settle()
        assert not sent(world)
        world.media.gate.set()
        await settle()
    assert len(sent(world)) == 1


def test_patience_is_no_jump_of_the_clock() -> None:
    """The dispatcher takes a wait longer than the longest of a retry for a clock that was set."""
    assert RetryPolicy().longest_ms > PATIENCE_MS
    assert OUTGOING_MS < PATIENCE_MS
