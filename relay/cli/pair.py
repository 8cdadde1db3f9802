"""``relay pair`` and ``relay unpair``: linking a number to a channel, and letting go of it.

Each is a process of its own on the channel's session, which it locks. A relay that runs does not
touch a session that is not linked; it is told when one is.
"""

from __future__ import annotations

import asyncio
import signal
import sqlite3
import sys
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import click

from relay.app import logging
from relay.app.engines import session_path
from relay.app.exits import EXIT_FAILED
from relay.app.linking import paired_route, unpair_route
from relay.cli.control import StatusError, ask
from relay.cli.pair_words import BUSY, CANCELLED, DAMAGED, linked, not_linked, not_unlinked
from relay.cli.screen import Events, line, shown
from relay.config.channel import LinkedDevice
from relay.config.errors import nearest
from relay.config.model import Config
from relay.domain.ids import ChannelId
from relay.domain.phone import normalise
from relay.whatsapp.linked_device.library import LibraryMissingError
from relay.whatsapp.linked_device.neonize_binding import load_library
from relay.whatsapp.linked_device.pairing import pair
from relay.whatsapp.linked_device.pairing_terms import NotLinkedError, NotUnlinkedError, Wish
from relay.whatsapp.linked_device.process import (
    exit_process,
    mute_library_output,
    reexec_if_needed,
)
from relay.whatsapp.linked_device.store import (
    SessionBusyError,
    SessionDamagedError,
    SessionStore,
)
from relay.whatsapp.linked_device.unpairing import unpair

_UNPAIR_LIMIT_S = 200.0  # a message in flight first, then the library's own 75 s


class PairError(Exception):
    """It is not to be; the text says why and what to do.

    ``why`` and ``detail`` say the same for a program.
    """

    def __init__(self, words: str, why: str = "other", detail: str = "") -> None:
        super().__init__(words)
        self.why = why
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Target:
    """A channel to be linked or unlinked. ``phone``: the file's number, digits.

    ``history``: the past is to be imported.
    """

    channel: ChannelId
    storage: Path
    proxy: str | None
    phone: str | None
    history: bool

    @property
    def store(self) -> SessionStore:
        """The channel's session."""
        return SessionStore(session_path(self.storage, self.channel))


def target_of(config: Config, channel: str) -> Target:
    """The channel of the file.

    Raises:
        PairError: it is not there, is no linked device, or its proxy is a secret that is not here.
    """
    found = config.channels.get(ChannelId(channel))
    if found is None:
        near = nearest(channel, config.channels)
        hint = f"; did you mean {near}?" if near else ""
        known = ", ".join(config.channels)
        raise PairError(f"{channel}: no such channel in the file (it has: {known}){hint}")
    if not isinstance(found, LinkedDevice):
        raise PairError(
            f"{channel}: a channel of engine {found.engine} is not linked; its number is set up"
            " at Meta, and its keys stand in the file"
        )
    if found.proxy is not None and not found.proxy.is_there:
        raise PairError(
            f"{channel}: its proxy is a secret that is not here, and without it WhatsApp would see"
            " this machine's own address; set the variable that relay check names"
        )
    proxy = found.proxy.reveal() if found.proxy else None
    phone = "".join(filter(str.isdigit, found.phone)) if found.phone else None
    history = found.import_history_ms is not None
    return Target(ChannelId(channel), config.storage.directory, proxy, phone, history)


def letters_number(target: Target, written: str) -> str:
    """The number, in digits, that is asked to type letters.

    Raises:
        ValueError: it cannot be a telephone number.
        PairError: the file wants another number in this channel.
    """
    digits = normalise(written, own=target.phone)
    if digits is None:
        raise ValueError(written)
    if target.phone is not None and digits != target.phone:
        raise PairError(
            f'{target.channel}: the file says `phone: "+{target.phone}"`, which is another number'
            f" than +{digits}",
            "other_number",
            f"+{target.phone}",
        )
    return digits


def run_pair(target: Target, letters_for: str | None, *, events: bool) -> NoReturn:
    """Link a number; the process ends here. ``events``: told in JSON, for a program."""
    _prepare()
    _end(target, _pair(target, letters_for, events=events), events=events)


def run_unpair(target: Target, *, sure: bool) -> NoReturn:
    """Unlink the number; the process ends here. Asks the administrator unless he is ``sure``."""
    _prepare()
    with _explaining(target):
        own = target.store.own_number()
    if own is None:
        exit_with(f"{target.channel}: no number is linked")
    if not sure and not _confirmed(f"Log +{own} out of WhatsApp and remove its session?"):
        exit_with(f"{target.channel}: nothing was done")
    _end(target, _unpair(target, own))


def exit_with(message: str) -> NoReturn:
    """Failed, with the reason."""
    print(message, file=sys.stderr)  # noqa: T201
    exit_process(EXIT_FAILED)


def tell_failure(error: PairError) -> None:
    """The event of a bad end."""
    Events(sys.stdout).tell(event="failed", why=error.why, detail=error.detail, words=str(error))


def _prepare() -> None:
    """What the library demands of the process; it begins anew if it must."""
    reexec_if_needed()
    mute_library_output()
    logging.configure(level="error", form=None, stream=sys.stderr)


def _confirmed(question: str) -> bool:
    try:
        return click.confirm(question)
    except click.Abort:
        return False


async def _pair(target: Target, letters_for: str | None, *, events: bool) -> str:
    store = target.store
    try:
        own = store.own_number()
    except SessionDamagedError:
        own = None  # a good pairing puts a whole file in its place
    if own is not None:
        raise PairError(
            f"{target.channel}: +{own} is linked already. To link another number, or the same"
            f" again, let go of it first: relay unpair {target.channel}",
            "linked_already",
            f"+{own}",
        )
    wish = Wish(target.proxy, target.phone, letters_for, history=target.history)
    with store.locked():
        if events:
            end = await pair(store, wish, Events(sys.stdout), load_library)
            await _told(target)
            return line(event="linked", own=end.own, name=end.name)
        async with shown(sys.stdout, sys.stderr) as screen:
            end = await pair(store, wish, screen, load_library)
    return f"{linked(target.channel, end)}\n{await _told(target)}"


async def _told(target: Target) -> str:
    """Tell the running relay to look at the session; what came of it."""
    try:
        status, _ = await ask(target.storage, "POST", paired_route(target.channel))
    except StatusError:
        return "No relay runs here now; it connects when it is started."
    if status == 200:
        return "The running relay connects now: relay status"
    return "The running relay does not have this channel: has it taken the file?"


async def _unpair(target: Target, own: str) -> str:
    done = f"{target.channel}: +{own} is logged out of WhatsApp, and its session is removed"
    try:
        status, answer = await ask(
            target.storage, "POST", unpair_route(target.channel), timeout_s=_UNPAIR_LIMIT_S
        )
    except StatusError:
        answer = {}
    else:
        if status == 200:
            return done
    try:
        with target.store.locked():
            async with shown(sys.stdout, sys.stderr):
                await unpair(target.store, target.proxy, load_library)
    except SessionBusyError:
        raise NotUnlinkedError(f"{answer.get('error', 'the session is in use')}") from None
    await _told(target)
    return done


def _end(target: Target, work: Coroutine[object, object, str], *, events: bool = False) -> NoReturn:
    """Do it, say how it ended, and leave, whatever the library's threads are doing."""
    runner = asyncio.Runner()  # not closed: that would wait for a client that nobody can stop
    with _explaining(target, events=events):
        click.echo(runner.run(_interruptible(work)), file=sys.stdout)
    exit_process(0)


async def _interruptible(work: Coroutine[object, object, str]) -> str:
    """The first signal asks it to clean up, the second does not wait for that."""
    task = asyncio.create_task(work, name="linking")

    def interrupt() -> None:
        if task.cancelling():
            exit_process(EXIT_FAILED)
        task.cancel()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, interrupt)
    return await task


@contextmanager
def _explaining(target: Target, *, events: bool = False) -> Iterator[None]:
    """What goes wrong inside ends the process, with words."""
    try:
        yield
    except BaseException as error:
        failure = _failure(target, error)
        if failure is None:
            raise
        if events:
            tell_failure(failure)
        exit_with(str(failure))


def _failure(target: Target, error: BaseException) -> PairError | None:
    """What went wrong, in words; None if nobody knows."""
    named, why, detail = f"{target.channel}: ", "other", ""
    match error:
        case PairError():
            return error
        case asyncio.CancelledError():
            words, why = named + CANCELLED, "interrupted"
        case NotLinkedError():
            words = not_linked(target.channel, target.phone, error)
            why, detail = error.why.name.lower(), error.detail
        case LibraryMissingError():
            words = str(error)
        case NotUnlinkedError():
            words = not_unlinked(target.channel, str(error))
        case SessionBusyError():
            words, why = named + BUSY, "busy"
        case SessionDamagedError():
            words = named + DAMAGED
        case OSError() | sqlite3.Error():
            words = f"{target.store.path}: {error}; run this as root or as the relay's user"
        case _:
            return None
    return PairError(words, why, detail)
