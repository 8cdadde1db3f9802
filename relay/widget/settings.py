"""``/widget/settings`` and ``/widget/blacklist``: the file's sections, for those they are open to;
``/widget/channels``: how the numbers stand.

The server decides what a user sees and may change; what is not open to him is not even named.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Final

from relay.delivery.ports import Clock
from relay.domain.ids import UserId
from relay.domain.settings import Language
from relay.widget.book import (
    BLACKLIST,
    USERS,
    Book,
    ChannelView,
    InvalidWishError,
    LockedBookError,
    Person,
    Rights,
    SettingsBook,
    StaleBookError,
    Wish,
)
from relay.widget.gate import Call, Method
from relay.widget.limits import Allowance, Limits
from relay.widget.mistakes import mistake_for
from relay.widget.problems import JSON, ProblemError, Trouble
from relay.widget.wishes import read_wish

SETTINGS: Final = "/widget/settings"
LIST: Final = "/widget/blacklist"
CHANNELS: Final = "/widget/channels"
LONGEST_PAGE: Final = 1_000
MOST_MISTAKES: Final = 100
_NATIONAL: Final = 11  # digits of a Russian number as people dial it, 8 first

CHANGES: Final = Allowance(at_once=10, a_second=0.2)
"""Of one user: each change reads the whole file several times."""

_MAY_NOT_WRITE: Final = {
    Language.RU: "Служба не может записать файл настроек. Выполните на сервере: {command}",
    Language.EN: "The service may not write the file. Run this on the server: {command}",
}
_NOT_NOW: Final = {
    Language.RU: "Сейчас настройки нельзя сохранить. Сообщите администратору.",
    Language.EN: "Nothing can be saved now. Tell an administrator.",
}
"""For whoever can do nothing about it; how the server is set up is not his business."""

_HAS_MISTAKES: Final = {
    Language.RU: "В файле настроек ошибка, действует прежний. Исправьте её на сервере: {mistakes}",
    Language.EN: "The file has a mistake, the former one acts. Mend it on the server: {mistakes}",
}


class SettingsDesk:
    """Shows and changes the book. The callables tell what is so at the moment."""

    def __init__(
        self,
        book: SettingsBook,
        clock: Clock,
        *,
        rights: Callable[[UserId], Rights],
        people: Callable[[], Sequence[Person]],
        channels: Callable[[], Sequence[ChannelView]],
    ) -> None:
        self._book = book
        self._clock = clock
        self._rights = rights
        self._people = people
        self._channels = channels
        self._limits = Limits(CHANGES)

    def methods(self) -> Sequence[Method]:
        """The methods of this desk."""
        return (
            Method("GET", SETTINGS, self._show),
            Method("PATCH", SETTINGS, self._change),
            Method("GET", LIST, self._search),
            Method("GET", CHANNELS, self._stand),
        )

    async def _show(self, call: Call) -> JSON:
        return self._shown(await self._read(), self._rights(call.user), call.language)

    async def _change(self, call: Call) -> JSON:
        rights = self._rights(call.user)
        wish = await read_wish(call.request)
        wait_s = self._limits.take(call.user, self._clock.now_ms())
        if wait_s is not None:
            raise ProblemError(Trouble.TOO_OFTEN, retry_after_s=wait_s)
        book = await self._read()
        _check_rights(wish, rights, book)
        if book.mistakes:
            raise ProblemError(Trouble.INVALID, _trouble(book, rights, call.language))
        try:
            book = await self._book.change(wish, call.user)
        except StaleBookError:
            current = self._shown(await self._read(), rights, call.language)
            raise ProblemError(Trouble.STALE, more={"current": current}) from None
        except InvalidWishError as error:
            mistakes = _mistakes(error, call.language)
            raise ProblemError(Trouble.INVALID, more={"errors": mistakes}) from None
        except LockedBookError as error:
            locked = replace(book, command=str(error))
            words = _trouble(locked, rights, call.language)
            raise ProblemError(Trouble.NOT_WRITABLE, words) from None
        except OSError as error:
            raise ProblemError(Trouble.DISK, error.strerror) from None
        return self._shown(book, rights, call.language)

    async def _stand(self, call: Call) -> JSON:
        rights = self._rights(call.user)
        if not rights.administrator:
            raise ProblemError(Trouble.RIGHTS)
        return {"channels": [_channel(view, rights) for view in self._channels()]}

    async def _search(self, call: Call) -> JSON:
        if not self._rights(call.user).may(BLACKLIST):
            raise ProblemError(Trouble.RIGHTS)
        query = call.request.query
        book = await self._read()
        found = _found(book.blacklist, query.get("search", ""))
        offset, limit = _count(query.get("offset", "0")), query.get("limit", "100")
        size = len(found) if limit == "all" else min(_count(limit), LONGEST_PAGE)
        entries: list[JSON] = [*found[offset : offset + size]]
        return {
            "version": book.version,
            "total": len(book.blacklist),
            "found": len(found),
            "entries": entries,
        }

    async def _read(self) -> Book:
        try:
            return await self._book.read()
        except OSError as error:
            raise ProblemError(Trouble.DISK, error.strerror) from None

    def _shown(self, book: Book, rights: Rights, language: Language) -> JSON:
        settings: dict[str, JSON] = {
            name: value for name, value in book.settings.items() if rights.may(name)
        }
        if rights.may(BLACKLIST):
            settings[BLACKLIST] = {"total": len(book.blacklist)}
        shown: dict[str, JSON] = {
            "version": book.version,
            "administrator": rights.administrator,
            "trouble": _trouble(book, rights, language),
            "settings": settings,
            "channels": [
                _channel(view, rights)
                for view in self._channels()
                if rights.administrator or rights.sections
            ],
        }
        if rights.may(USERS):
            shown[USERS] = {name: dict(user) for name, user in book.users.items()}
            shown["sections"] = list(book.sections)
            shown["account_users"] = [
                {"id": each.id, "name": each.name, "administrator": each.administrator}
                for each in self._people()
            ]
        return shown


def _channel(view: ChannelView, rights: Rights) -> JSON:
    """A channel, by its name alone for those who may only bind people to it."""
    if not rights.administrator:
        return {"id": view.id, "title": view.title}
    return {
        "id": view.id,
        "title": view.title,
        "state": view.state,
        "reason": view.reason,
        "since": view.since,
        "own": view.own,
        "can_pair": view.linkable,
    }


def _check_rights(wish: Wish, rights: Rights, book: Book) -> None:
    """Every section the wish touches is open to him, and he gives nobody more than he has."""
    touched = set(wish.settings)
    touched |= {USERS} if wish.users else set()
    touched |= {BLACKLIST} if wish.listed or wish.unlisted else set()
    if not all(rights.may(section) for section in touched):
        raise ProblemError(Trouble.RIGHTS)
    if rights.administrator:
        return
    for name, user in wish.users.items():
        given = set(_strings((user or {}).get("sections")))
        had = set(_strings(book.users.get(name, {}).get("sections")))
        if not given - had <= rights.sections:
            raise ProblemError(Trouble.RIGHTS)


def _strings(value: Any) -> list[str]:
    return [str(each) for each in value] if isinstance(value, list | tuple) else []


def _trouble(book: Book, rights: Rights, language: Language) -> str | None:
    """Why nothing can be saved now, in words."""
    if (book.mistakes or book.command is not None) and not rights.administrator:
        return _NOT_NOW[language]
    if book.mistakes:
        return _HAS_MISTAKES[language].format(mistakes="; ".join(book.mistakes[:3]))
    if book.command is not None:
        return _MAY_NOT_WRITE[language].format(command=book.command)
    return None


def _mistakes(error: InvalidWishError, language: Language) -> list[JSON]:
    found = error.mistakes[:MOST_MISTAKES]
    return [{"path": path, "message": mistake_for(path, text, language)} for path, text in found]


def _found(entries: Sequence[str], search: str) -> list[str]:
    """Entries in which those digits stand, and patterns that stand for a number that begins so."""
    digits = "".join(c for c in search if c.isdigit())
    if len(digits) == _NATIONAL and digits[0] == "8":
        digits = "7" + digits[1:]
    if not digits:
        return list(entries)
    number = f"+{digits}"
    return [e for e in entries if digits in e or (e[-1] == "*" and number.startswith(e[:-1]))]


def _count(written: str) -> int:
    if not (written.isascii() and written.isdigit() and len(written) < 10):
        raise ProblemError(Trouble.BAD_REQUEST, "offset, limit")
    return int(written)
