"""The settings page: what is shown to whom, who may change what, and what is said if it fails."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from io import BytesIO
from typing import Any

import pytest

from relay.domain.ids import UserId
from relay.widget.book import (
    Book,
    ChannelView,
    InvalidWishError,
    LockedBookError,
    Person,
    Rights,
    StaleBookError,
    Wish,
)
from relay.widget.gate import Method
from relay.widget.settings import SettingsDesk
from tests.widget.office import Office, office_of

ADMIN, MANAGER, NOBODY = 1, 2, 3
BOOK = Book(
    version="v1",
    settings={"phone_check": True, "error_label": "[X]", "default_channel": "sales"},
    blacklist=("+79001234567", "+7900555*"),
    users={
        "2": {"channels": ["sales"], "sections": ["blacklist"]},
        "9": {"channels": ["sales"], "sections": ["error_label"]},
    },
    sections=("phone_check", "error_label", "default_channel", "blacklist", "users"),
)


@dataclass
class Shelf:
    """A book in memory that remembers the wishes, or refuses them as it is told to."""

    book: Book = BOOK
    wishes: list[tuple[Wish, UserId]] = field(default_factory=list)
    trouble: Exception | None = None
    sections: frozenset[str] = frozenset({"blacklist", "error_label"})

    async def read(self) -> Book:
        return self.book

    async def change(self, wish: Wish, user: UserId) -> Book:
        if self.trouble is not None:
            raise self.trouble
        self.wishes.append((wish, user))
        return replace(self.book, version="v2")

    def rights(self, user: UserId) -> Rights:
        return Rights(user == ADMIN, self.sections if user == MANAGER else frozenset())

    def methods(self, office: Office) -> Sequence[Method]:
        views = [ChannelView("sales", "Продажи", "connected", "", None, "+74950000001", True)]
        people = [Person(UserId(1), "Ольга", True), Person(UserId(2), "Борис", False)]
        desk = SettingsDesk(
            self,
            office.clock,
            rights=self.rights,
            people=lambda: people,
            channels=lambda: views,
        )
        return desk.methods()


async def test_an_administrator_sees_everything() -> None:
    """All settings, the users with their names in amoCRM, the channels as they stand."""
    shelf = Shelf()
    async with office_of(None, shelf.methods) as office:
        shown = (await office.call("GET", "/widget/settings", user=ADMIN)).json
    assert shown["version"] == "v1"
    assert shown["administrator"]
    assert shown["trouble"] is None
    assert shown["settings"] == {**BOOK.settings, "blacklist": {"total": 2}}
    assert shown["users"]["2"]["sections"] == ["blacklist"]
    assert shown["sections"] == list(BOOK.sections)
    assert shown["account_users"][0] == {"id": 1, "name": "Ольга", "administrator": True}
    assert shown["channels"][0]["can_pair"]


async def test_others_see_their_sections_alone() -> None:
    """What is not open to somebody is not even named."""
    shelf = Shelf()
    async with office_of(None, shelf.methods) as office:
        shown = (await office.call("GET", "/widget/settings", user=MANAGER)).json
        assert shown["settings"] == {"error_label": "[X]", "blacklist": {"total": 2}}
        assert not shown["administrator"]
        assert not {"users", "account_users", "sections"} & shown.keys()
        assert shown["channels"] == [{"id": "sales", "title": "Продажи"}]
        shown = (await office.call("GET", "/widget/settings", user=NOBODY)).json
        assert (shown["settings"], shown["channels"]) == ({}, [])
        assert (await office.call("GET", "/widget/blacklist", user=NOBODY)).code == "forbidden"


async def test_how_numbers_stand_is_for_administrators() -> None:
    """They may look again and again; nobody else may."""
    shelf = Shelf()
    async with office_of(None, shelf.methods) as office:
        [channel] = (await office.call("GET", "/widget/channels", user=ADMIN)).json["channels"]
        assert (channel["state"], channel["own"]) == ("connected", "+74950000001")
        assert (await office.call("GET", "/widget/channels", user=MANAGER)).code == "forbidden"


async def test_a_change_is_made_in_the_users_name() -> None:
    """With the version he has seen; the answer is what the file says then."""
    shelf = Shelf()
    wish = {
        "version": "v1",
        "settings": {
            "error_label": "X",
            "phone_check": None,
            "blacklist": {"add": ["+7900"], "remove": ["+7901"]},
        },
        "users": {"5": {"channels": ["sales"]}, "9": None},
    }
    async with office_of(None, shelf.methods) as office:
        answer = await office.call("PATCH", "/widget/settings", wish, user=ADMIN)
    assert (answer.status, answer.json["version"]) == (200, "v2")
    [(made, user)] = shelf.wishes
    assert user == ADMIN
    assert made == Wish(
        version="v1",
        settings={"error_label": "X", "phone_check": None},
        users={"5": {"channels": ["sales"]}, "9": None},
        listed=["+7900"],
        unlisted=["+7901"],
    )


@pytest.mark.parametrize(
    "wish",
    [
        {"settings": {"phone_check": False}},
        {"settings": {"phone_check": None}},
        {"settings": {"error_label": "X", "phone_check": False}},
        {"settings": {"token": "x"}},
        {"users": {"2": {"channels": ["sales"], "sections": ["users"]}}},
        {"users": {"2": None}},
    ],
    ids=str,
)
async def test_a_section_without_the_right_is_not_changed(wish: dict[str, Any]) -> None:
    """Nothing of a wish is fulfilled if any of it is not his; the page's word counts nothing."""
    shelf = Shelf()
    async with office_of(None, shelf.methods) as office:
        answer = await office.call(
            "PATCH", "/widget/settings", {"version": "v1", **wish}, user=MANAGER
        )
        assert (answer.status, answer.code) == (403, "forbidden")
        listed = {"version": "v1", "settings": {"blacklist": {"add": ["+7900"]}}}
        assert (await office.call("PATCH", "/widget/settings", listed, user=NOBODY)).status == 403
    assert shelf.wishes == []


async def test_nobody_gives_more_than_he_has() -> None:
    """Whoever may change users but is no administrator hands on his own sections only."""
    shelf = Shelf(sections=frozenset({"users", "blacklist"}))

    def user(*sections: str) -> dict[str, Any]:
        return {"channels": ["sales"], "sections": list(sections)}

    async with office_of(None, shelf.methods) as office:
        for name, given, status in (
            ("2", user("blacklist", "users"), 200),
            ("2", user("blacklist", "phone_check"), 403),
            ("9", user("error_label", "blacklist"), 200),  # he had error_label already
            ("7", user("error_label"), 403),
        ):
            wish = {"version": "v1", "users": {name: given}}
            answer = await office.call("PATCH", "/widget/settings", wish, user=MANAGER)
            assert answer.status == status, (name, given)


async def test_two_editors_at_once() -> None:
    """The second is told, and gets what the file says now."""
    shelf = Shelf(trouble=StaleBookError())
    async with office_of(None, shelf.methods) as office:
        answer = await office.call("PATCH", "/widget/settings", {"version": "v0"}, user=ADMIN)
    assert (answer.status, answer.code) == (409, "stale")
    assert answer.json["current"]["version"] == "v1"
    assert answer.json["current"]["settings"]["error_label"] == "[X]"


async def test_what_cannot_be_written_is_told() -> None:
    """Mistakes with their places; the command that would allow it; a disk that refuses."""
    shelf = Shelf()
    async with office_of(None, shelf.methods) as office:
        shelf.trouble = InvalidWishError([("settings.blacklist.2", "no number"), ("", "strange")])
        headers = {"Accept-Language": "en"}
        answer = await office.call(
            "PATCH", "/widget/settings", {"version": "v1"}, user=ADMIN, headers=headers
        )
        assert answer.code == "invalid"
        assert answer.json["errors"] == [
            {"path": "settings.blacklist.2", "message": "no number"},
            {"path": "", "message": "strange"},
        ]
        answer = await office.call("PATCH", "/widget/settings", {"version": "v1"}, user=ADMIN)
        said = [each["message"] for each in answer.json["errors"]]
        assert said[0].startswith("не похоже на номер")
        assert said[1] == "strange"
        shelf.trouble = LockedBookError("chown relay: x")
        answer = await office.call("PATCH", "/widget/settings", {"version": "v1"}, user=ADMIN)
        assert answer.code == "not_writable"
        assert "chown relay: x" in answer.json["detail"]
        shelf.trouble = OSError(28, "No space left on device")
        answer = await office.call("PATCH", "/widget/settings", {"version": "v1"}, user=ADMIN)
        assert answer.code == "disk_refused"
        shelf.book = replace(BOOK, command="chown relay: x")
        shown = (await office.call("GET", "/widget/settings", user=ADMIN)).json
        assert "chown relay: x" in shown["trouble"]
        shelf.book = replace(BOOK, mistakes=["config.yaml:3:1: settigs: unknown key"])
        shown = (await office.call("GET", "/widget/settings", user=ADMIN)).json
        assert "settigs" in shown["trouble"]
        answer = await office.call("PATCH", "/widget/settings", {"version": "v1"}, user=ADMIN)
        assert answer.code == "invalid"


async def test_the_server_is_no_managers_business() -> None:
    """Whoever has a section is told that nothing can be saved, neither why nor what to run."""
    shelf = Shelf(book=replace(BOOK, command="chown relay: x"), trouble=LockedBookError("chown y"))
    async with office_of(None, shelf.methods) as office:
        shown = (await office.call("GET", "/widget/settings", user=MANAGER)).json
        assert shown["trouble"] == "Сейчас настройки нельзя сохранить. Сообщите администратору."
        wish = {"version": "v1", "settings": {"error_label": "X"}}
        answer = await office.call("PATCH", "/widget/settings", wish, user=MANAGER)
        assert (answer.code, answer.json["detail"]) == ("not_writable", shown["trouble"])
        shelf.book = replace(BOOK, mistakes=["config.yaml:3:1: settigs: unknown key"])
        answer = await office.call("PATCH", "/widget/settings", wish, user=MANAGER)
        assert (answer.code, answer.json["detail"]) == ("invalid", shown["trouble"])


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b'"x"',
        b"{}",
        b"[" * 5000,
        b'{"version":1}',
        b'{"version":"v1","settings":[]}',
        b'{"version":"v1","users":{"5":[]}}',
        b'{"version":"v1","storage":{}}',
        b'{"version":"v1","settings":{"blacklist":["+7900"]}}',
        b'{"version":"v1","settings":{"blacklist":{"add":[5]}}}',
        b'{"version":"v1","settings":{"blacklist":{"add":"+7900"}}}',
    ],
)
async def test_what_is_no_wish_is_refused(body: bytes) -> None:
    """Forms are looked at before anything else."""
    shelf = Shelf()
    async with office_of(None, shelf.methods) as office:
        answer = await office.call("PATCH", "/widget/settings", body, user=ADMIN)
        assert (answer.status, answer.code) == (400, "bad_request")
    assert shelf.wishes == []


async def test_a_body_beyond_bounds_is_not_read() -> None:
    """Four megabytes at most."""
    async with office_of(None, Shelf().methods) as office:
        answer = await office.call(
            "PATCH", "/widget/settings", BytesIO(b" " * (5 << 20)), user=ADMIN
        )
        assert answer.code == "too_large"


async def test_a_large_blacklist_is_shown_in_parts() -> None:
    """Searched by digits, page by page, or whole for whoever wants to keep it."""
    many = (*(f"+7900{n:07}" for n in range(99_999)), "+7911*")
    shelf = Shelf(book=replace(BOOK, blacklist=many))

    async def asked(query: str) -> Any:
        return (await office.call("GET", f"/widget/blacklist?{query}", user=MANAGER)).json

    async with office_of(None, shelf.methods) as office:
        assert (await asked(""))["entries"] == list(many[:100])
        found = await asked("search=8+(900)+001-23-45")
        assert (found["total"], found["entries"]) == (100_000, ["+79000012345"])
        found = await asked("search=9000012&offset=2&limit=3")
        assert found["found"] == 1_000
        assert found["entries"] == ["+79000012002", "+79000012003", "+79000012004"]
        assert (await asked("search=%2B79115550000"))["entries"] == ["+7911*"]
        assert len((await asked("limit=5000"))["entries"]) == 1_000
        assert (await asked("limit=all"))["entries"] == list(many)
        for query in ("limit=x", "offset=-1", "limit=99999999999"):
            answer = await office.call("GET", f"/widget/blacklist?{query}", user=MANAGER)
            assert answer.code == "bad_request"


async def test_a_user_changes_only_so_often() -> None:
    """Each change reads the file several times."""
    shelf = Shelf()
    async with office_of(None, shelf.methods) as office:
        codes = [
            (await office.call("PATCH", "/widget/settings", {"version": "v1"}, user=ADMIN)).status
            for _ in range(11)
        ]
    assert codes == [200] * 10 + [429]
