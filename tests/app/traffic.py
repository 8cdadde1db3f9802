"""Conversations that go on while the relay is killed, and the laws that hold when they are over.

Each has a client who writes in bursts and a manager who answers in bursts; a new burst begins when
everything of the last one has come to its end, so both lanes of a conversation hold several
messages at any time, and nothing piles up without a bound.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter

from relay.demo.pretended_amocrm import Message
from tests.app.played_whatsapp import OWN, Sent
from tests.app.site import Site

_PATIENCE_S = 60.0
_LONGEST_BURST = 4


class Conversation:
    """One client, one manager, and everything they wrote, in order."""

    def __init__(self, site: Site, number: int, chance: random.Random) -> None:
        self.client = str(79_000_000_000 + number)
        self.written: list[str] = []
        self.replies: list[Message] = []
        self._site = site
        self._chance = chance
        self._over = False

    def end(self) -> None:
        """No new burst."""
        self._over = True

    async def run(self) -> None:
        """Until told to end, and then to the end of the last burst."""
        await self._clients_burst()
        await self._site.amocrm.wait_for(lambda _: self._all_arrived(), _PATIENCE_S)
        async with asyncio.TaskGroup() as both:
            both.create_task(self._client())
            both.create_task(self._manager())

    async def _client(self) -> None:
        while not self._over:
            await self._clients_burst()
            await self._site.amocrm.wait_for(lambda _: self._all_arrived(), _PATIENCE_S)

    async def _clients_burst(self) -> None:
        for _ in range(self._chance.randint(1, _LONGEST_BURST)):
            number = len(self.written)
            text = f"{self.client} writes {number}"
            self.written.append(text)
            await self._site.whatsapp.write(self.client, f"{self.client}-{number}", text)

    async def _manager(self) -> None:
        while not self._over:
            for _ in range(self._chance.randint(1, _LONGEST_BURST)):
                text = f"answer {len(self.replies)} to {self.client}"
                self.replies.append(await self._site.reply(self.client, text))
            await self._site.whatsapp.until(self._replies_are_over, str(self), _PATIENCE_S)

    def _all_arrived(self) -> bool:
        """Whether the last message is in amoCRM; cheap, for it is asked at every event."""
        known = self._site.amocrm.account.message_by_msgid
        return f"wa-{OWN['sales']}-{self.client}-{len(self.written) - 1}" in known

    def _replies_are_over(self) -> bool:
        """Every reply that was taken has reached its client, or its manager was told."""
        return all(map(self._is_over, reversed(self.replies[-_LONGEST_BURST:])))

    def _is_over(self, reply: Message) -> bool:
        arrived = reply.id in self._site.whatsapp.arrived
        return arrived or reply.status == -1 or not was_taken(reply)

    def __str__(self) -> str:
        missing = [reply for reply in self.replies if not self._is_over(reply)]
        return f"conversation with {self.client}, missing {missing}"


class Traffic:
    """Many conversations at once."""

    def __init__(self, site: Site, count: int, chance: random.Random) -> None:
        self._site = site
        self.conversations = [Conversation(site, n, chance) for n in range(count)]

    async def run(self) -> None:
        """Until told to end."""
        async with asyncio.TaskGroup() as all_of_them:
            for conversation in self.conversations:
                all_of_them.create_task(conversation.run(), name=conversation.client)

    def end(self) -> None:
        """No new bursts."""
        for conversation in self.conversations:
            conversation.end()

    def check(self) -> None:
        """Nothing was lost, repeated before a person's eyes, or reordered within a lane."""
        assert self._site.amocrm.violations == []
        for conversation in self.conversations:
            assert self._site.texts_of(conversation.client) == conversation.written
            check_replies(conversation.replies, self._site.whatsapp.sent)

    @property
    def replies(self) -> list[Message]:
        """Everything that managers wrote."""
        return [reply for one in self.conversations for reply in one.replies]

    @property
    def messages(self) -> int:
        """How many messages there were, both ways."""
        return sum(len(one.written) for one in self.conversations) + len(self.replies)


def was_taken(message: Message) -> bool:
    """Whether its hook was answered 200."""
    return message.hook is not None and message.hook.status == 200


def check_replies(replies: list[Message], sent: list[Sent]) -> None:
    """To one client: each at most once, in order; what was taken arrived, or its manager knows."""
    numbers = {reply.id: number for number, reply in enumerate(replies)}
    arrived = [numbers[one.crm_id] for one in sent if one.crm_id in numbers]
    repeated = {number: count for number, count in Counter(arrived).items() if count > 1}
    assert repeated == {}, "a client got a message twice"
    assert arrived == sorted(arrived), "a client got messages in another order"
    for number, reply in enumerate(replies):
        if was_taken(reply):
            assert number in set(arrived) or reply.status == -1, f"{reply.text} vanished"
