"""The whole demonstration as its user starts it, and its relay under ``kill -9``."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from relay.demo.actions import (
    Action,
    ClientWrites,
    Kill,
    ManagerWrites,
    Save,
    SwitchLine,
    SwitchTrouble,
    WriteFirst,
)
from relay.demo.keeper import Life
from relay.demo.performing import perform
from relay.demo.reloads import Outcome
from relay.demo.show import Show, open_show
from relay.demo.trouble import Trouble
from relay.web.server import bind

PATIENCE_S = 60.0


async def until(show: Show, holds: Callable[[], object]) -> None:
    """Back once ``holds()`` is true, asked after every change."""
    async with asyncio.timeout(PATIENCE_S):
        with show.changes.reader() as flag:
            while not holds():
                await flag.wait()
                flag.clear()


@contextlib.asynccontextmanager
async def running(directory: Path) -> AsyncIterator[Show]:
    """A demonstration whose relay is up and known to amoCRM."""
    async with open_show(directory) as show:
        await until(show, lambda: show.keeper.life is Life.RUNNING)
        await until(show, lambda: show.crm.account.connection)
        yield show


async def do(show: Show, *actions: Action) -> None:
    for action in actions:
        await perform(show, action)


def writes(text: str, person: str = "anna") -> ClientWrites:
    return ClientWrites(person=person, channel="sales", text=text)


def in_crm(show: Show) -> list[str]:
    return [message.text for message in show.crm.account.messages if message.imported]


def on_phone(show: Show) -> list[str]:
    return [bubble.text for bubble in show.world.bubbles if bubble.author == "relay"]


# --- In one process, but for the relay's own -----------------------------------------------------


async def test_a_killed_relay_loses_and_repeats_nothing(tmp_path: Path) -> None:
    """What clients and managers wrote before, during and after kill -9 arrives once, in order."""
    async with running(tmp_path) as show:
        show.crm.sender.limit_s = PATIENCE_S  # on a machine out of breath a restart takes longer
        await do(show, writes("one"))
        await until(show, lambda: in_crm(show) == ["one"])
        chat = next(iter(show.crm.account.chats))
        kill = Kill()
        answers = [ManagerWrites(chat=chat, user=17, text=text) for text in "ab"]
        await do(show, writes("two"), kill, writes("three"), answers[0], writes("four"))
        await until(show, lambda: show.keeper.starts == 2)
        await do(show, answers[1], writes("five"))
        await until(show, lambda: len(in_crm(show)) == 5 and len(on_phone(show)) == 2)
        assert in_crm(show) == ["one", "two", "three", "four", "five"]
        assert on_phone(show) == [f"{text}\n\nОльга, отдел продаж" for text in "ab"]
        assert show.crm.violations == []


async def test_a_bad_file_keeps_a_killed_relay_down_until_it_is_corrected(tmp_path: Path) -> None:
    """Killed on a bad file, the relay ends with its reasons, and starts again on a good one."""
    async with running(tmp_path) as show:
        bad = show.text.replace("language: ru", "language: xx")
        await do(show, Save(text=bad))
        await until(show, lambda: show.reloads.verdict.outcome is Outcome.REFUSED)
        await do(show, Kill())
        await until(show, lambda: show.keeper.life is Life.REFUSED)
        assert show.reloads.verdict.mistakes[0].line == 4
        await do(show, Save(text=show.first_text))
        await until(show, lambda: show.keeper.life is Life.RUNNING)


async def test_an_editor_outside_the_page_is_followed(tmp_path: Path) -> None:
    """A file saved by another program is shown, and the relay's word on it too."""
    async with running(tmp_path) as show:
        text = show.text.replace("title: Поддержка", "title: Help")
        show.place.config.write_text(text, encoding="utf-8")
        await until(show, lambda: show.reloads.verdict.outcome is Outcome.TAKEN)
        assert show.text == text
        assert show.titles["support"] == "Help"
        assert show.reloads.verdict.changes


async def test_a_channel_cut_off_gives_up_in_time(tmp_path: Path) -> None:
    """With a short give_up_after a manager learns that nothing was sent, and nothing is."""
    async with running(tmp_path) as show:
        text = show.text.replace("whatsapp: 1h", "whatsapp: 1s")
        cut = SwitchLine(channel="sales", on=False)
        await do(show, Save(text=text), cut)
        await until(show, lambda: show.reloads.verdict.outcome is Outcome.TAKEN)
        await do(show, WriteFirst(phone="8 900 000-00-03", user=17, text="hi"))
        messages = show.crm.account.messages
        await until(show, lambda: messages and messages[0].status == -1)
        assert messages[0].reports[-1].error_code == 905
        assert on_phone(show) == []


async def test_a_lie_makes_no_second_message(tmp_path: Path) -> None:
    """amoCRM that took a message and broke the connection is offered it again, and has it once."""
    async with running(tmp_path) as show:
        lie = SwitchTrouble(trouble=Trouble.LIE, on=True)
        await do(show, lie, writes("once"))
        await until(show, lambda: show.crm.account.repeats)
        await until(show, lambda: show.story.tales and _ended(show))
        assert in_crm(show) == ["once"]
        assert show.switches.on == frozenset()


def _ended(show: Show) -> bool:
    return all(tale.steps[-1]["event"] == "delivered" for tale in show.story.tales.values())


async def test_the_log_is_beside_the_file_and_tells_no_text(tmp_path: Path) -> None:
    """The relay's log holds the steps, and neither texts nor whole numbers."""
    async with running(tmp_path) as show:
        await do(show, writes("a secret word"))
        await until(show, lambda: in_crm(show))
    log = (tmp_path / "relay.log").read_text(encoding="utf-8")
    assert '"accepted"' in log
    assert "secret word" not in log
    assert "79000000001" not in log


# --- As a command --------------------------------------------------------------------------------


def relay_demo(directory: Path, *arguments: str) -> subprocess.Popen[str]:
    """The command, keeping its things in this directory."""
    return subprocess.Popen(  # noqa: S603  our own command
        [sys.executable, "-m", "relay", "demo", "--no-open", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "TMPDIR": str(directory)},
        text=True,
    )


def test_the_command_tells_where_and_ends_cleanly(tmp_path: Path) -> None:
    """One line with the address; Ctrl-C, even twice, ends it with 0 and leaves nothing lying."""
    for number in (signal.SIGINT, signal.SIGTERM):
        with relay_demo(tmp_path, "--port", "0") as process:
            assert process.stdout is not None
            line = process.stdout.readline()
            assert line.startswith("The demonstration is open at http://127.0.0.1:")
            assert list(tmp_path.iterdir())
            process.send_signal(number)
            process.send_signal(number)
            out, err = process.communicate(timeout=PATIENCE_S)
            assert (process.returncode, out, err) == (0, "", "")
            assert list(tmp_path.iterdir()) == []


def test_a_port_in_use_is_said_in_a_sentence(tmp_path: Path) -> None:
    """A port that cannot be had ends it with 1 and one clear line."""
    with bind("127.0.0.1", 0) as taken:
        port = str(taken.getsockname()[1])
        with relay_demo(tmp_path, "--port", port) as process:
            out, err = process.communicate(timeout=PATIENCE_S)
    assert (process.returncode, out) == (1, "")
    assert port in err
    assert "--port" in err
    assert err.count("\n") == 1


async def test_the_relay_does_not_outlive_the_demonstration(tmp_path: Path) -> None:
    """A demonstration that is killed takes its relay along."""
    async with running(tmp_path) as show:
        process = show.keeper.process
        assert process is not None
        assert process.stdin is not None
        process.stdin.close()  # as the death of the demonstration closes it
        await until(show, lambda: show.keeper.life is Life.KILLED)
        assert process.returncode == 0
        with contextlib.suppress(ProcessLookupError):
            os.kill(process.pid, 0)
            raise AssertionError("it is still there")
