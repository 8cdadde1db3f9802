"""Linking from inside amoCRM: administrators alone, and each sees only what he began."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from relay.domain.ids import UserId
from relay.domain.settings import Language
from relay.widget.book import Rights
from relay.widget.gate import Method
from relay.widget.pairing_words import KNOWN, words_for
from relay.widget.pairings import CannotPairError, Failure, Linked, Pairing, PairingDesk
from tests.widget.office import Office, office_of

ADMIN, OTHER, MANAGER = 1, 4, 2


@dataclass
class Linker:
    """Links nothing, and remembers what it was asked."""

    begun: list[tuple[str, str | None, UserId]] = field(default_factory=list)
    ended: list[str] = field(default_factory=list)
    trouble: str | None = None
    now: Pairing = field(
        default_factory=lambda: Pairing("id-1", "waiting", qr=["101", "010"], expires_seconds=18)
    )

    async def begin(self, channel: str, phone: str | None, user: UserId) -> Pairing:
        if self.trouble is not None:
            raise CannotPairError(self.trouble)
        self.begun.append((channel, phone, user))
        return Pairing("id-1", "starting")

    def find(self, id_: str, user: UserId) -> Pairing | None:
        if (id_, user) != ("id-1", ADMIN):
            return None
        return self.now

    async def end(self, id_: str, user: UserId) -> Pairing | None:
        if (id_, user) != ("id-1", ADMIN):
            return None
        self.ended.append(id_)
        return Pairing("id-1", "ended")

    def methods(self, office: Office) -> Sequence[Method]:
        def rights(user: UserId) -> Rights:
            return Rights(user in (ADMIN, OTHER), frozenset({"users", "blacklist"}))

        return PairingDesk(self, office.clock, rights).methods()


async def test_an_administrator_links_a_number() -> None:
    """He begins, looks, and ends it; by QR code, or by letters for a number."""
    linker = Linker()
    async with office_of(None, linker.methods) as office:
        begun = await office.call("POST", "/widget/pairings", {"channel": "sales"}, user=ADMIN)
        assert begun.json["state"] == "starting"
        shown = await office.call("GET", "/widget/pairings/id-1", user=ADMIN)
        assert shown.json == {
            "id": "id-1",
            "state": "waiting",
            "qr": ["101", "010"],
            "code": None,
            "expires_seconds": 18,
            "own": None,
            "name": None,
            "detail": None,
        }
        assert shown.headers["Cache-Control"] == "no-store"
        ended = await office.call("DELETE", "/widget/pairings/id-1", user=ADMIN)
        assert ended.json["state"] == "ended"
        letters = {"channel": "sales", "phone": "+74950000001"}
        await office.call("POST", "/widget/pairings", letters, user=ADMIN)
    assert linker.begun == [("sales", None, ADMIN), ("sales", "+74950000001", ADMIN)]
    assert linker.ended == ["id-1"]


async def test_nobody_else_sees_the_code() -> None:
    """Neither a manager, whatever his sections, nor another administrator who has the id."""
    linker = Linker()
    async with office_of(None, linker.methods) as office:
        for method, path in (
            ("POST", "/widget/pairings"),
            ("GET", "/widget/pairings/id-1"),
            ("DELETE", "/widget/pairings/id-1"),
        ):
            data = {"channel": "sales"} if method == "POST" else None
            assert (await office.call(method, path, data, user=MANAGER)).code == "forbidden"
        answer = await office.call("GET", "/widget/pairings/id-1", user=OTHER)
        assert (answer.status, answer.code) == (404, "gone")
        assert (await office.call("DELETE", "/widget/pairings/id-1", user=OTHER)).code == "gone"
    assert (linker.begun, linker.ended) == ([], [])


async def test_what_cannot_be_linked_says_why() -> None:
    """And whoever tries too often waits."""
    linker = Linker(trouble="somebody_else")
    async with office_of(None, linker.methods) as office:
        for _ in range(5):
            answer = await office.call("POST", "/widget/pairings", {"channel": "s"}, user=ADMIN)
            assert (answer.status, answer.code) == (409, "pairing_failed")
            assert "другой администратор" in answer.json["detail"]
        answer = await office.call("POST", "/widget/pairings", {"channel": "s"}, user=ADMIN)
        assert answer.code == "too_often"


async def test_how_it_ended_is_told_in_the_pages_language() -> None:
    """A number and its name, or what went wrong and what to do; what has no words, as it came."""
    linker = Linker()
    async with office_of(None, linker.methods) as office:

        async def asked(language: str) -> dict[str, str | None]:
            headers = {"Accept-Language": language}
            path = "/widget/pairings/id-1"
            answer = await office.call("GET", path, user=ADMIN, headers=headers)
            return {key: answer.json[key] for key in ("own", "name", "detail")}

        linker.now = Pairing("id-1", "linked", linked=Linked("+74950000001", "Sales"))
        done = {"own": "+74950000001", "name": "Sales", "detail": None}
        assert await asked("en") == done
        linker.now = Pairing("id-1", "failed", failure=Failure("wrong_number", "+7495{x}"))
        assert str((await asked("ru"))["detail"]).startswith("Это был +7495{x}, а в файле")
        assert str((await asked("en"))["detail"]).startswith("That was +7495{x}, but the file")
        linker.now = Pairing("id-1", "failed", failure=Failure("other", "strange words"))
        assert str((await asked("ru"))["detail"]).endswith("Реле говорит: strange words")


@pytest.mark.parametrize("why", sorted(KNOWN))
def test_every_failure_has_words_in_both_languages(why: str) -> None:
    """Whole sentences, different ones, with a place for what they are about at most."""
    russian, english = (words_for(why, "@", language) for language in Language)
    assert russian != english
    assert russian.endswith(".")
    assert english.endswith(".")
    assert "{" not in russian + english


@pytest.mark.parametrize("body", [b"", b"[]", b'{"channel":5}', b'{"channel":"s","phone":7}'])
async def test_what_is_no_request_is_refused(body: bytes) -> None:
    """Forms first."""
    async with office_of(None, Linker().methods) as office:
        answer = await office.call("POST", "/widget/pairings", body, user=ADMIN)
        assert answer.code == "bad_request"
        large = await office.call("POST", "/widget/pairings", b"x" * 2000, user=ADMIN)
        assert large.code == "too_large"
