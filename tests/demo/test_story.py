"""What the page is told: the relay's verdicts on the file, and the lives of messages."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

from relay.config.load import parse
from relay.config.secret import SecretSource
from relay.delivery.ledger import Ledger
from relay.demo import file
from relay.demo.cast import IDENTITY
from relay.demo.journal import Looked, look
from relay.demo.reloads import Outcome, Reloads, mistake
from relay.demo.story import Story
from relay.sqlite.store import open_store

NOW_MS = 1_750_000_000_000


def nothing() -> None:
    """Nobody looks on."""


def a_step(trace: str, event: str = "deferred", **more: Any) -> dict[str, Any]:
    return {"trace": trace, "event": event, "direction": "in", "channel": "sales", **more}


def a_story() -> Story:
    return Story(lambda _: Looked(), lambda: NOW_MS, nothing)


def test_steps_are_gathered_by_trace() -> None:
    """Steps of one message stand together, in the order in which they were told."""
    story = a_story()
    for trace, event in (("a", "accepted"), ("b", "accepted"), ("a", "delivered")):
        story.add(a_step(trace, event))
    assert [step["event"] for step in story.tales["a"].steps] == ["accepted", "delivered"]


def test_a_story_is_bounded() -> None:
    """However long it runs, it keeps the latest messages and, of each, its first and last steps."""
    story = a_story()
    for number in range(500):
        story.add(a_step(str(number)))
    assert len(story.tales) <= 100
    assert "499" in story.tales
    for attempt in range(500):
        story.add(a_step("long", attempt=attempt))
    tale = story.tales["long"]
    assert len(tale.steps) + tale.dropped == 500
    assert (tale.steps[0]["attempt"], tale.steps[-1]["attempt"]) == (0, 499)
    assert len(tale.steps) <= 50


async def test_the_journal_tells_text_and_lane(tmp_path: Path) -> None:
    """Under a trace the journal holds what was said, whoever said it."""
    store = open_store(tmp_path, account="http://127.0.0.1")
    rows = {
        "t1": ("whatsapp/sales", b'{"type":"message","text":"hi"}'),
        "t2": ("amocrm", '{"message":{"message":{"text":"да"}}}'.encode()),
        "t3": ("whatsapp/sales", b'{"type":"receipt","ids":["M1"],"status":"read"}'),
        "t4": ("amocrm", b"nonsense"),
        "t6": (
            "whatsapp/sales",
            '{"type":"message","text":"","media":{"what":"document","name":"Смета.pdf"}}'.encode(),
        ),
        "t7": (
            "amocrm",
            b'{"message":{"message":{"type":"picture","text":"","file_name":"a.png"}}}',
        ),
        "t8": ("whatsapp/sales", b'{"type":"message","text":"","place":{"name":"Tverskaya"}}'),
        "t9": ("whatsapp/sales", b'{"type":"message","text":"","card":{"name":"Pyotr"}}'),
    }

    def append(ledger: Ledger) -> None:
        for trace, (source, payload) in rows.items():
            ledger.append(source, payload, trace, NOW_MS)

    async with store:
        await store.transact(append)
        found = {trace: look(tmp_path / "relay.db", trace) for trace in (*rows, "t5")}
    assert found == {
        "t1": Looked("hi"),
        "t2": Looked("да"),
        "t3": Looked(about=("M1",), status="read"),
        "t4": Looked(),
        "t5": Looked(),
        "t6": Looked("Смета.pdf", "document"),
        "t7": Looked("", "image"),
        "t8": Looked("Tverskaya", "location"),
        "t9": Looked("Pyotr", "contact"),
    }
    assert look(tmp_path / "nothing.db", "t1") == Looked()


def test_the_first_file_is_without_mistakes(tmp_path: Path) -> None:
    """The file that the demonstration begins with loads, and with each remark's wish fulfilled."""
    text = file.first_text(IDENTITY, crm="http://127.0.0.1:1", hooks=2, admin=3)
    path, secrets = tmp_path / "config.yaml", SecretSource.of(os.environ)
    assert list(parse(text, path, secrets).config.channels) == ["sales", "support"]
    fulfilled = re.sub(r"^  # (vip|everyone_else):", r"  \1:", text, flags=re.MULTILINE)
    config = parse(fulfilled.replace("  #   ", "    "), path, secrets).config
    assert list(config.channels) == ["sales", "support", "vip"]
    assert list(config.users) == [17, 18, "everyone_else"]
    assert max(map(len, text.splitlines())) <= 96


def test_saving_replaces_the_file_whole(tmp_path: Path) -> None:
    """A save leaves the new text and nothing beside it."""
    path = tmp_path / "config.yaml"
    file.save(path, "one")
    file.save(path, "два")
    assert path.read_text(encoding="utf-8") == "два"
    assert list(tmp_path.iterdir()) == [path]


def test_titles_are_those_of_a_good_file(tmp_path: Path) -> None:
    """Titles come from a file without mistakes, and from no other."""
    text = file.first_text(IDENTITY, crm="http://127.0.0.1:1", hooks=2, admin=3)
    found = file.titles(text, tmp_path / "config.yaml")
    assert found == {"sales": "Отдел продаж", "support": "Поддержка"}
    assert file.titles("nonsense: 1", tmp_path / "config.yaml") is None


def test_an_error_is_taken_apart() -> None:
    """The place stands in the error as the contract has it."""
    found = mistake("/etc/a:b/config.yaml:4:7: settings.x: unknown key: found 1:2:3: 4")
    assert (found.line, found.column) == (4, 7)
    assert found.message == "settings.x: unknown key: found 1:2:3: 4"
    assert mistake("no place").message == "no place"


def health(at: str, *, ok: bool, errors: tuple[str, ...] = ()) -> dict[str, Any]:
    return {"reload": {"at": at, "ok": ok, "errors": list(errors)}}


def test_the_relay_has_the_word_on_the_file() -> None:
    """Saved, the file waits for the relay's own verdict: taken, refused, or nothing new."""
    now = [NOW_MS]
    reloads = Reloads(lambda: now[0], nothing)
    reloads.saved()
    reloads.taken(["language is now en (was ru)"])
    assert reloads.verdict.changes == ("language is now en (was ru)",)
    reloads.saved()
    reloads.refused(["c.yaml:1:2: a: b"])
    assert [m.line for m in reloads.verdict.mistakes] == [1]
    reloads.saved()
    early = health("2025-06-15T15:06:39+00:00", ok=True)
    at_once = health("2025-06-15T15:06:42+00:00", ok=True)
    outcomes = []
    for later_ms, told in ((0, at_once), (2_000, early), (0, at_once)):
        now[0] += later_ms
        reloads.look(told)
        outcomes.append(reloads.verdict.outcome)
    # The relay may yet speak; a reading before the save says nothing; then silence tells.
    assert outcomes == [Outcome.WAITING, Outcome.WAITING, Outcome.SAME]


def test_the_same_mistakes_again_are_refused_again() -> None:
    """The relay logs the same errors once; its health tells that they are there still."""
    now = [NOW_MS]
    reloads = Reloads(lambda: now[0], nothing)
    reloads.saved()
    now[0] += 2_000
    reloads.look(health("2025-06-15T15:06:41+00:00", ok=False, errors=("c.yaml:1:2: a: b",)))
    assert reloads.verdict.mistakes[0].column == 2
