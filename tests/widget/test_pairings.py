"""Linking from inside amoCRM: administrators alone, and each sees only what he began."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from relay.domain.ids import UserId
from relay.widget.book import Rights
from relay.widget.gate import Method
from relay.widget.pairings import CannotPairError, Pairing, PairingDesk
from tests.widget.office import Office, office_of

ADMIN, OTHER, MANAGER = 1, 4, 2


@dataclass
class Linker:
    """Links nothing, and remembers what it was asked."""

    begun: list[tuple[str, str | None, UserId]] = field(default_factory=list)
    ended: list[str] = field(default_factory=list)
    trouble: str | None = None

    async def begin(self, channel: str, phone: str | None, user: UserId) -> Pairing:
        if self.trouble is not None:
            raise CannotPairError(self.trouble)
        self.begun.append((channel, phone, user))
        return Pairing("id-1", "starting")

    def find(self, id_: str, user: UserId) -> Pairing | None:
        if (id_, user) != ("id-1", ADMIN):
            return None
        return Pairing("id-1", "waiting", qr=["101", "010"], expires_seconds=18)

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
    linker = Linker(trouble="somebody else is linking it now")
    async with office_of(None, linker.methods) as office:
        for _ in range(5):
            answer = await office.call("POST", "/widget/pairings", {"channel": "s"}, user=ADMIN)
            assert (answer.status, answer.code) == (409, "pairing_failed")
            assert answer.json["detail"] == "somebody else is linking it now"
        answer = await office.call("POST", "/widget/pairings", {"channel": "s"}, user=ADMIN)
        assert answer.code == "too_often"


@pytest.mark.parametrize("body", [b"", b"[]", b'{"channel":5}', b'{"channel":"s","phone":7}'])
async def test_what_is_no_request_is_refused(body: bytes) -> None:
    """Forms first."""
    async with office_of(None, Linker().methods) as office:
        answer = await office.call("POST", "/widget/pairings", body, user=ADMIN)
        assert answer.code == "bad_request"
        large = await office.call("POST", "/widget/pairings", b"x" * 2000, user=ADMIN)
        assert large.code == "too_large"
