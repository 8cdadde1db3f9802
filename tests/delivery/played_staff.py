"""The account's people as a test plays them."""

from __future__ import annotations

import asyncio

from relay.domain.ids import CrmPersonId, UserId

ANNA, BORIS = CrmPersonId("user-1"), CrmPersonId("user-2")
NEWCOMER, ROBOT = CrmPersonId("user-3"), CrmPersonId("robot-1")


class PlayedStaff:
    """Implements :class:`relay.delivery.ports.Staff`.

    ``known`` are those of whom it is certain who they are, None for a robot; ``truth`` is what
    amoCRM tells when it is asked, once ``gate`` is open. ``asked`` are the questions so far.
    """

    def __init__(self) -> None:
        self.known: dict[CrmPersonId, UserId | None] = {ANNA: UserId(17), BORIS: UserId(18)}
        self.truth: dict[CrmPersonId, UserId | None] = {}
        self.gate = asyncio.Event()
        self.gate.set()
        self.asked: list[CrmPersonId] = []

    def user_of(self, person: CrmPersonId) -> UserId | None:
        return self.known.get(person)

    def knows(self, person: CrmPersonId) -> bool:
        return person in self.known

    def is_administrator(self, user: UserId) -> bool:
        return user == 17

    async def refresh(self, person: CrmPersonId) -> None:
        self.asked.append(person)
        await self.gate.wait()
        if person in self.truth:
            self.known[person] = self.truth[person]
