"""What the chain of rules costs a message, and what a long blacklist adds to it.

Beside the chain alone a message's whole decision is measured: who it is from, what is known of him,
the rules, and the letter, over the ledger in memory, which costs next to nothing itself.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from relay.delivery.incoming import client_letters
from relay.delivery.letters import Cause
from relay.domain.blacklist import Blacklist
from relay.domain.contents import Text
from relay.domain.ids import (
    ChannelId,
    ClientAddress,
    CrmChatId,
    CrmMessageId,
    CrmPersonId,
    OwnNumber,
    UserId,
)
from relay.domain.incoming import Incoming, decide_incoming
from relay.domain.message import (
    Client,
    Origin,
    Received,
    Written,
)
from relay.domain.outgoing import Outgoing, decide_outgoing
from relay.domain.routing import Manager
from relay.domain.settings import Channel, Settings
from relay.domain.signatures import Signatures
from tests.bench.report import Figure, times
from tests.bench.rig import OWN, SALES, BenchEngine, payload
from tests.delivery.memory_ledger import MemoryLedger
from tests.delivery.memory_tables import HeardTime, Tables

MESSAGES, ROUNDS = 2_000, 15
NUMBERS, PATTERNS, USERS = 100_000, 10_000, 1_000
WANTED_US, WANTED_RATIO = 20.0, 1.2

EMPTY = Settings(
    channels={SALES: Channel(SALES, "Отдел продаж", OWN)},
    import_sent_from_phone=True,
    title_in_messages=frozenset({SALES}),
    signatures=Signatures.compiled(f"Менеджер {number}\n\nотдел" for number in range(USERS)),
)
"""Every rule has something to do."""


def rules() -> Iterator[Figure]:
    """Both chains."""
    yield from _incoming()
    outgoing, settings = _outgoing()

    def run() -> None:
        for _ in range(MESSAGES):
            decide_outgoing(outgoing, settings)

    took_us, _ = _by_turns(run, run)
    yield Figure("rules out of amoCRM, µs a message", "", f"{took_us:.1f}")


def _incoming() -> Iterator[Figure]:
    """The chain with everything the file may hold, and the two blacklists by turns."""
    chance = random.Random(4)
    full = replace(EMPTY, blacklist=_blacklist(chance))
    messages = _messages(chance, full.blacklist)
    chain = [_chain(messages, settings) for settings in (EMPTY, full)]
    empty_us, full_us = _by_turns(*chain)
    yield Figure(
        "rules into amoCRM, µs a message", "", f"{full_us:.1f}",
        wanted=f"≤ {WANTED_US:.0f}", met=full_us <= WANTED_US,
    )  # fmt: skip
    yield _compared("the rules alone", empty_us, full_us)
    whole = [_whole(messages, settings) for settings in (EMPTY, full)]
    yield _compared("a message decided", *_by_turns(*whole), wanted=True)


def _compared(name: str, empty_us: float, full_us: float, *, wanted: bool = False) -> Figure:
    ratio = full_us / empty_us
    return Figure(
        f"{name}, µs, past an empty blacklist and one of {(NUMBERS + PATTERNS) // 1000} 000",
        f"{empty_us:.1f}",
        f"{full_us:.1f}",
        times(ratio),
        f"≤ {times(WANTED_RATIO)}" if wanted else "",
        ratio <= WANTED_RATIO if wanted else None,
    )


def _blacklist(chance: random.Random) -> Blacklist:
    numbers = [f"+79{chance.randrange(10**9):09}" for _ in range(NUMBERS)]
    patterns = [
        f"+79{chance.randrange(10**9):09}"[: chance.randint(7, 11)] + "*" for _ in range(PATTERNS)
    ]
    return Blacklist.compiled(numbers + patterns)


def _messages(chance: random.Random, blacklist: Blacklist) -> Sequence[Received]:
    """From people who are not listed, typed on the phone, half of them signed."""
    (message,) = BenchEngine().read(payload(1, 1))
    assert isinstance(message, Received)
    made: list[Received] = []
    while len(made) < MESSAGES:
        number = f"79{chance.randrange(10**9):09}"
        if number in blacklist:
            continue
        signature = f"\n\nМенеджер {len(made) % USERS}\n\nотдел" if len(made) % 2 else ""
        client = Client(ClientAddress(number), f"+{number}", "Иван")
        content = Text("Здравствуйте! " * 5 + signature)
        made.append(replace(message, origin=Origin.PHONE, client=client, content=content))
    return made


def _chain(messages: Sequence[Received], settings: Settings) -> Callable[[], None]:
    asked = [Incoming(message, SALES) for message in messages]

    def run() -> None:
        for one in asked:
            decide_incoming(one, settings)

    return run


def _whole(messages: Sequence[Received], settings: Settings) -> Callable[[], None]:
    ledger = MemoryLedger(Tables(), HeardTime())
    cause = Cause("bench", SALES, settings, now_ms=1, received_ms=1)

    def run() -> None:
        for message in messages:
            client_letters(ledger, message, cause, lambda _: False)

    return run


def _by_turns(one: Callable[[], None], other: Callable[[], None]) -> tuple[float, float]:
    """Microseconds a message of each, the best of many rounds taken by turns."""
    took: list[tuple[float, float]] = []
    for _ in range(ROUNDS):
        took.append((_took(one), _took(other)))
    best = min(a for a, _ in took), min(b for _, b in took)
    return best[0] / MESSAGES * 1e6, best[1] / MESSAGES * 1e6


def _took(run: Callable[[], None]) -> float:
    """Processor time in seconds: others may be at work on this machine."""
    began = time.process_time()
    run()
    return time.process_time() - began


def _outgoing() -> tuple[Outgoing, Settings]:
    """A signed answer of the last of a thousand users, through one of fifty channels."""
    channels = [
        Channel(ChannelId(f"c{n}"), f"Channel {n}", OwnNumber(f"7495{n:07}")) for n in range(50)
    ]
    users = {
        UserId(n): Manager((channels[n % 50].id, channels[0].id), f"User {n}") for n in range(1000)
    }
    settings = Settings(channels={channel.id: channel for channel in channels}, users=users)
    written = Written(
        id=CrmMessageId("m"),
        chat=CrmChatId("c"),
        conversation=None,
        author=CrmPersonId("u"),
        client=CrmPersonId("p"),
        phone=None,
        content=Text("Добрый день"),
        written_at_ms=0,
    )
    address = ClientAddress("79001234567")
    writer = settings.writer(UserId(999))
    return Outgoing(written, writer, channels[49].own, address, phone=address), settings
