"""``relay explain``: what would happen to a message, rule by rule, with the lines of the file."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import urlencode

from relay.app.explain.answer import Explainer
from relay.app.explain.terms import Basis, Explanation, FromClient, Known, QuestionError, ToClient
from relay.app.knowledge import KNOWLEDGE_ROUTE
from relay.cli.control import Answer, NotRunningError, StatusError, ask
from relay.config.model import Config
from relay.config.places import Places
from relay.domain.ids import ChannelId, OwnNumber
from relay.web.health import JsonValue

_TIMEOUT_S = 5.0
_COLUMN = 10


@dataclass(frozen=True, slots=True)
class Wish:
    """The options as they were given."""

    sender: str | None = None
    channel: str | None = None
    from_phone: bool = False
    to: str | None = None
    user: str | None = None
    robot: bool = False
    source: str | None = None
    text: str = ""


def question(config: Config, wish: Wish) -> FromClient | ToClient:
    """What is asked.

    Raises:
        QuestionError: the options do not make one question.
    """
    if (wish.sender is None) == (wish.to is None):
        raise QuestionError("expected either --from PHONE or --to PHONE")
    if wish.sender is not None:
        if wish.user is not None or wish.robot or wish.source is not None:
            raise QuestionError("--user, --robot and --source go with --to, not with --from")
        channel = wish.channel or _only_channel(config)
        return FromClient(wish.sender, ChannelId(channel), wish.from_phone, wish.text)
    if wish.from_phone:
        raise QuestionError("--from-phone goes with --from, not with --to")
    if (wish.user is None) != wish.robot:
        raise QuestionError("expected either --user ID or --robot with --to")
    user = None if wish.user is None else _user(config, wish.user)
    chat, source = (ChannelId(id_) if id_ else None for id_ in (wish.channel, wish.source))
    return ToClient(str(wish.to), user, chat, source, wish.text)


def _only_channel(config: Config) -> str:
    if len(config.channels) > 1:
        raise QuestionError(f"expected --channel ID: {', '.join(config.channels)}")
    return next(iter(config.channels))


def _user(config: Config, written: str) -> int:
    """The id, also of who is named as the file names him."""
    if written.isascii() and written.isdigit():
        return int(written)
    ids = [id_ for id_, user in config.users.items() if user.name == written]
    match ids:
        case [int(id_)]:
            return id_
        case []:
            raise QuestionError(f"users has nobody named {written}; expected his id in amoCRM")
    told = ", ".join(map(str, ids))
    raise QuestionError(f"users has several named {written}; expected an id: {told}")


def ask_known(storage: Path, phone: str) -> tuple[Known, str | None]:
    """What the running relay knows, and why it is not asked, if it cannot be."""
    route = f"{KNOWLEDGE_ROUTE}?{urlencode({'phone': phone})}"
    try:
        status, answer = asyncio.run(ask(storage, "GET", route, _TIMEOUT_S))
    except NotRunningError:
        return Known(), "no relay runs"
    except StatusError as error:
        return Known(), str(error)
    return (_known(answer), None) if status == 200 else (Known(), f"it answered {status}")


def _known(answer: Answer) -> Known:
    own, absent = answer.get("own"), answer.get("absent")
    return Known(
        running=True,
        own={ChannelId(id_): OwnNumber(str(n)) for id_, n in own.items()}
        if isinstance(own, dict)
        else {},
        absent=frozenset(map(str, absent)) if isinstance(absent, list) else frozenset(),
    )


def explained(config: Config, places: Places, wish: Wish) -> tuple[Explanation, str | None]:
    """The answer, and why it was given without a relay's knowledge, if it was.

    Raises:
        QuestionError: that cannot be asked.
    """
    asked = question(config, wish)
    known, alone = ask_known(config.storage.directory, asked.phone)
    return Explainer(config, places, known).explain(asked), alone


def as_json(explanation: Explanation, file: Path, alone: str | None) -> Answer:
    """The answer for a program."""
    rulings: list[JsonValue] = [
        {
            "rule": ruling.rule,
            "effect": ruling.effect.value,
            "says": ruling.says,
            "from": [asdict(basis) for basis in ruling.basis],
        }
        for ruling in explanation.rulings
    ]
    return {
        "file": str(file),
        "relay_asked": alone is None,
        "question": explanation.question,
        "rules": rulings,
        "outcome": explanation.outcome.value,
        "verdict": explanation.verdict,
        "text": explanation.text,
    }


def as_text(explanation: Explanation, file: Path, alone: str | None) -> str:
    """The answer for a person."""
    return "\n".join(_lines(explanation, file, alone))


def _lines(explanation: Explanation, file: Path, alone: str | None) -> Iterator[str]:
    yield f"{_sentence(explanation.question)}:"
    yield ""
    for ruling in explanation.rulings:
        yield f"  {ruling.effect.value:<{_COLUMN}}{ruling.says}"
        for basis in ruling.basis:
            yield f"  {'':{_COLUMN}}  {_basis(basis, file)}"
    yield ""
    yield f"{_sentence(explanation.verdict)}"
    if explanation.text is not None:
        yield ""
        yield from (f"  | {line}" for line in explanation.text.split("\n"))
    if alone is not None:
        yield ""
        yield f"By the file alone ({alone}): its channels are taken to be linked."


def _basis(basis: Basis, file: Path) -> str:
    if basis.line is None:
        return f"{basis.key} is not in the file: its default acts"
    return f"{file}:{basis.line}: {basis.key}"


def _sentence(words: str) -> str:
    return words[:1].upper() + words[1:]
