"""The card of a contact gets the client's number as +7, against the pretended amoCRM."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

from relay.amocrm.credentials import CredentialsHolder
from relay.amocrm.phones import PhoneRewriter
from relay.amocrm.rest.contacts import read_phones
from relay.delivery.ledger import Conversation
from relay.demo.pretended_amocrm import Answer, Chat, Contact, Phone, PretendedAmoCRM
from relay.domain.bodies import PhoneRewrite
from relay.domain.ids import ConversationId
from relay.domain.message import Client
from relay.domain.outbox import Dead, Delivered, Outcome, Retry
from tests.amocrm.doubles import CHAT, CONVERSATION, IVAN, OWN, credentials
from tests.amocrm.rest.rig import Rig, rig_of

SHORT, LONG = "8 (999) 123-45-67", "+79991234567"


@dataclass
class Scene:
    """A rewriter before an account with one contact behind one chat."""

    crm: PretendedAmoCRM
    rig: Rig
    conversation: Conversation | None
    confirmed: bool = True
    wanted: bool = True

    def __post_init__(self) -> None:
        self.rewriter = PhoneRewriter(
            self.rig.rest,
            find=self._find,
            confirmed=lambda: self.confirmed,
            wanted=lambda: self.wanted,
        )

    async def _find(self, id_: ConversationId) -> Conversation | None:
        assert id_ == CONVERSATION
        return self.conversation

    async def rewrite(self) -> Outcome:
        return await self.rewriter.rewrite(PhoneRewrite(CONVERSATION))

    @property
    def card(self) -> list[Phone]:
        return self.crm.account.contacts[501].phones

    @property
    def calls(self) -> list[str]:
        return [seen.method for seen in self.crm.requests]

    def client(self, phone: str | None) -> None:
        assert self.conversation is not None
        client = Client(IVAN.address, phone, IVAN.name)
        self.conversation = replace(self.conversation, client=client)


@asynccontextmanager
async def card_of(*phones: Phone) -> AsyncIterator[Scene]:
    async with PretendedAmoCRM() as crm:
        held = CredentialsHolder(credentials(token=crm.identity.token))
        async with rig_of(crm.url, held) as rig:
            crm.account.contacts[501] = Contact(501, "Иван", list(phones))
            crm.account.chats[CHAT] = Chat(CHAT, CONVERSATION, "p", 0, contact_id=501)
            known = Conversation(CONVERSATION, OWN, IVAN, CHAT, crm_bound=True, wrote=True)
            yield Scene(crm, rig, known)
            assert not crm.violations


async def test_the_number_becomes_international_and_the_rest_stays() -> None:
    """All values are written back with their kinds, for a PATCH replaces them all."""
    others = [Phone(f"+7495000000{n}", kind) for n, kind in enumerate(("HOME", "FAX", "OTHER"))]
    async with card_of(others[0], Phone(SHORT, "MOB"), *others[1:]) as scene:
        assert await scene.rewrite() == Delivered()
        assert scene.card == [others[0], Phone(LONG, "MOB"), *others[1:]]
        assert scene.calls == ["GET", "GET", "PATCH"]


async def test_a_second_time_changes_nothing() -> None:
    """An attempt that nobody knows the end of is simply made again: no second PATCH."""
    async with card_of(Phone(SHORT)) as scene:
        await scene.rewrite()
        assert await scene.rewrite() == Delivered()
        assert scene.calls.count("PATCH") == 1


async def test_cards_of_every_kind() -> None:
    """No number, ten numbers, the same one twice: nothing is lost, nothing written for nothing."""
    async with card_of() as scene:
        assert await scene.rewrite() == Delivered()
        ten = [Phone(f"+7495000000{n}", "WORK") for n in range(10)]
        scene.crm.account.contacts[501].phones = list(ten)
        assert await scene.rewrite() == Delivered()
        assert "PATCH" not in scene.calls
        scene.crm.account.contacts[501].phones = [Phone(SHORT), Phone("89991234567"), *ten]
        assert await scene.rewrite() == Delivered()
        assert scene.card == [Phone(LONG), *ten]


async def test_other_numbers_cost_no_call() -> None:
    """A hidden or foreign number, or the setting switched off meanwhile: amoCRM is not asked."""
    async with card_of(Phone(SHORT)) as scene:
        for phone in (None, "+375291234567"):
            scene.client(phone)
            assert await scene.rewrite() == Delivered()
        scene.client(LONG)
        scene.wanted = False
        assert await scene.rewrite() == Delivered()
        scene.conversation = None
        assert await scene.rewrite() == Delivered()
        assert scene.calls == []


async def test_what_is_not_known_yet_is_waited_for() -> None:
    """Until amoCRM has told the chat, confirmed the account and linked a contact: later."""
    async with card_of(Phone(SHORT)) as scene:
        assert scene.conversation is not None
        whole = scene.conversation
        scene.conversation = replace(whole, crm_chat=None)
        assert isinstance(await scene.rewrite(), Retry)
        scene.conversation = whole
        scene.confirmed = False
        assert isinstance(await scene.rewrite(), Retry)
        scene.confirmed = True
        assert scene.calls == []
        scene.crm.account.chats[CHAT].contact_id = None
        assert isinstance(await scene.rewrite(), Retry)
        scene.crm.account.chats[CHAT].contact_id = 501
        assert await scene.rewrite() == Delivered()
        assert scene.card == [Phone(LONG)]


async def test_a_contact_that_is_gone_is_let_go() -> None:
    """A deleted card is no trouble."""
    async with card_of() as scene:
        scene.crm.account.chats[CHAT].contact_id = 404
        assert await scene.rewrite() == Delivered()
        scene.crm.violations.clear()


async def test_trouble_is_put_off_and_a_refusal_ends_it() -> None:
    """5xx and missing rights may pass; a change that amoCRM will not take, never will."""
    async with card_of(Phone(SHORT)) as scene:
        scene.crm.faults.add(Answer(500), "contacts_chats", times=1)
        assert isinstance(await scene.rewrite(), Retry)
        scene.crm.rest.token_is_admin = False
        assert isinstance(await scene.rewrite(), Retry)
        scene.crm.rest.token_is_admin = True
        scene.crm.faults.add(Answer(400, b"{}"), "contact", times=1)
        assert isinstance(await scene.rewrite(), Dead)
        assert scene.card == [Phone(SHORT)]
        scene.crm.violations.clear()


async def test_a_value_that_cannot_be_written_back_protects_the_card() -> None:
    """A card that is not understood to its last value is not touched."""
    async with card_of() as scene:
        body = (
            b'{"id":501,"custom_fields_values":[{"field_code":"PHONE","values":'
            b'[{"value":"89991234567","enum_id":1},{"value":null,"enum_id":2}]}]}'
        )
        scene.crm.faults.add(Answer(200, body), "contact")
        assert await read_phones(scene.rig.rest, 501) is None
