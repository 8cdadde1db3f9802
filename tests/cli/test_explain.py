"""``relay explain``: its options, its two forms, and what it asks of a running relay."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from relay.app.explain.terms import FromClient, Known, QuestionError, ToClient
from relay.app.knowledge import knowledge_routes
from relay.app.listen import control_path
from relay.cli.explain import Wish, ask_known, question
from relay.domain.ids import ChannelId, OwnNumber
from relay.domain.phone_check import PhoneCheck, PhoneState
from relay.domain.settings import Channel, Settings
from relay.web.server import Server, bind_unix
from tests.cli.test_command_line import relay
from tests.clock import HandClock
from tests.config.writing import SALES, SUPPORT, config, written
from tests.delivery.memory_store import MemoryStore

FILE = written(
    SALES + SUPPORT,
    """\
settings:
  default_channel: sales
  blacklist: ["+7900555*"]
users:
  7: {name: Анна, channels: [sales], signature: Анна}
  8: {name: Олег, channels: [sales]}
  9: {name: Олег, channels: [support]}
""",
)
CONFIG = config(SALES + SUPPORT, FILE[FILE.index("settings:") :])
ANNA = "+79001234567"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "relay.yaml"
    path.write_text(FILE.replace("directory: data", "directory: ."))
    return path


def test_the_answer_for_a_person(file: Path) -> None:
    """Rule by rule, each with FILE:LINE below; then the verdict, and what it rests upon."""
    result = relay("explain", "-c", file, "--from", "+79005550000", "--channel", "sales")
    assert (result.exit_code, result.stderr) == (0, "")
    number = next(n for n, line in enumerate(file.read_text().splitlines(), 1) if "900555" in line)
    assert result.stdout.splitlines() == [
        "A client writes from +79005550000, channel sales:",
        "",
        "  passes    the relay itself did not send it",
        "  ends      the blacklist has +7900555*",
        f"              {file}:{number}: settings.blacklist[0]",
        "",
        "Nothing enters amoCRM, and nobody is told (ignored: blacklist)",
        "",
        "By the file alone (no relay runs): its channels are taken to be linked.",
    ]


def test_the_answer_for_a_program(file: Path) -> None:
    """The same as JSON, with every rule's name, and lines as numbers."""
    arguments = ("--user", "Анна", "--to", "8 900 123-45-67", "--text", "Да", "--json")
    file.write_text(
        file.read_text().replace("linked_device}", 'linked_device, phone: "+74950000001"}')
    )
    result = relay("explain", "-c", file, *arguments)
    told = json.loads(result.stdout)
    assert (told["outcome"], told["text"]) == ("sent", "Да\n\nАнна")
    assert (told["file"], told["relay_asked"]) == (str(file), False)
    signed = next(rule for rule in told["rules"] if rule["rule"] == "sign_it")
    assert signed["effect"] == "changes"
    line = file.read_text().splitlines()[signed["from"][0]["line"] - 1]
    assert signed["from"][0]["key"] == "users.7.signature"
    assert "signature: Анна" in line


@pytest.mark.parametrize(
    ("wish", "asked"),
    [
        (Wish(sender=ANNA, channel="sales"), FromClient(ANNA, ChannelId("sales"))),
        (
            Wish(sender=ANNA, channel="sales", from_phone=True, text="t"),
            FromClient(ANNA, ChannelId("sales"), typed_on_phone=True, text="t"),
        ),
        (Wish(to=ANNA, user="7"), ToClient(ANNA, 7)),
        (Wish(to=ANNA, user="Анна", channel="sales"), ToClient(ANNA, 7, ChannelId("sales"))),
        (
            Wish(to=ANNA, robot=True, source="support"),
            ToClient(ANNA, None, source=ChannelId("support")),
        ),
    ],
)
def test_options_make_a_question(wish: Wish, asked: FromClient | ToClient) -> None:
    """Users may be named as the file names them."""
    assert question(CONFIG, wish) == asked


def test_the_only_channel_need_not_be_named() -> None:
    """Where there is one channel, it is meant."""
    asked = question(config(SALES), Wish(sender=ANNA))
    assert asked == FromClient(ANNA, ChannelId("sales"))


@pytest.mark.parametrize(
    ("wish", "words"),
    [
        (Wish(), "either --from PHONE or --to PHONE"),
        (Wish(sender=ANNA, to=ANNA), "either --from PHONE or --to PHONE"),
        (Wish(sender=ANNA), "--channel ID: sales, support"),
        (Wish(sender=ANNA, channel="sales", user="7"), "--user, --robot and --source go with --to"),
        (Wish(to=ANNA), "either --user ID or --robot"),
        (Wish(to=ANNA, user="7", robot=True), "either --user ID or --robot"),
        (Wish(to=ANNA, user="7", from_phone=True), "--from-phone goes with --from"),
        (Wish(to=ANNA, user="Никто"), "nobody named Никто"),
        (Wish(to=ANNA, user="Олег"), "several named Олег; expected an id: 8, 9"),
    ],
)
def test_options_that_make_none(wish: Wish, words: str) -> None:
    """Each says what was expected."""
    with pytest.raises(QuestionError, match=words):
        question(CONFIG, wish)


def test_what_cannot_be_asked_is_one_line(file: Path) -> None:
    """Trouble goes to standard error, and the exit is 1; a bad file is 78 as everywhere."""
    result = relay("explain", "-c", file, "--from", ANNA, "--channel", "sale")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == "there is no channel sale (nearest: sales)\n"
    file.write_text("nonsense: 1")
    assert relay("explain", "-c", file, "--from", ANNA).exit_code == 78


# --- A running relay ------------------------------------------------------------------------------


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[MemoryStore]:
    """What a relay knows, behind a control socket in ``tmp_path``."""
    store, clock = MemoryStore(), HandClock()
    channels = [
        Channel(ChannelId("sales"), "Sales", OwnNumber("74950000001")),
        Channel(ChannelId("support"), "Support"),
    ]
    settings = Settings(channels={channel.id: channel for channel in channels})
    routes = knowledge_routes(store, lambda: settings, clock.now_ms)
    absent = PhoneCheck(PhoneState.NOT_REGISTERED, clock.now_ms())
    await store.transact(lambda ledger: ledger.save_phone_check("79001234567", absent))
    async with Server(bind_unix(control_path(tmp_path)), routes):
        yield store


async def test_a_running_relay_tells_numbers_and_absence(
    store: MemoryStore, tmp_path: Path
) -> None:
    """Which channels are linked, and that a number in any notation is known to be absent."""
    known, alone = await asyncio.to_thread(ask_known, tmp_path, "8 900 123-45-67")
    assert alone is None
    own = {ChannelId("sales"): OwnNumber("74950000001")}
    assert known == Known(running=True, own=own, absent=frozenset({"79001234567"}))
    known, _ = await asyncio.to_thread(ask_known, tmp_path, "+79001234568")
    assert known.absent == frozenset()


async def test_nobody_is_asked_for_it(store: MemoryStore, tmp_path: Path) -> None:
    """Explaining writes nothing and asks nobody: what is not known stays unknown."""
    before = store.commits
    await asyncio.to_thread(ask_known, tmp_path, "nonsense")
    assert store.commits == before


def test_no_relay_is_no_trouble(tmp_path: Path) -> None:
    """Then the file alone decides, which is said."""
    assert ask_known(tmp_path, ANNA) == (Known(), "no relay runs")
