"""Carries the letters that put a client's number into his card as +7.

Nothing here is remembered: each attempt reads the card anew right before it is written, and finds
nothing to do where it is done already. So it may be repeated, and our own change starts nothing.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

import structlog

from relay.amocrm.errors import RefusedError, RejectedError, UnreachableError
from relay.amocrm.rest.client import RestClient
from relay.amocrm.rest.contacts import contact_of, read_phones, write_phones
from relay.delivery.ledger import Conversation
from relay.domain.bodies import PhoneRewrite
from relay.domain.contact_phones import has_short_form, rewritten
from relay.domain.ids import ConversationId, CrmChatId
from relay.domain.outbox import Dead, Delivered, Outcome, Retry

AT_ONCE: Final = 2
"""So many cards at a time: the REST API is slow, and messages must not wait behind it."""

_log = structlog.get_logger()


class PhoneRewriter:
    """Puts numbers into their international form, while ``wanted`` says so.

    ``find`` tells a conversation; ``confirmed``: whether the token in force opens our account.
    """

    def __init__(
        self,
        rest: RestClient,
        *,
        find: Callable[[ConversationId], Awaitable[Conversation | None]],
        confirmed: Callable[[], bool],
        wanted: Callable[[], bool],
    ) -> None:
        self._rest = rest
        self._find = find
        self._confirmed = confirmed
        self._wanted = wanted
        self._busy = 0

    async def rewrite(self, wish: PhoneRewrite) -> Outcome:
        """One attempt. Nothing is to be done where the number is hidden, or is no Russian one."""
        conversation = await self._find(wish.conversation)
        phone = conversation.client.phone if conversation is not None else None
        if conversation is None or phone is None or not (has_short_form(phone) and self._wanted()):
            return Delivered()
        if conversation.crm_chat is None:
            return Retry("amoCRM has not told yet which chat this is")
        return await self._carry(conversation.crm_chat, phone)

    async def _carry(self, chat: CrmChatId, phone: str) -> Outcome:
        if not self._confirmed():
            return Retry("amoCRM has not confirmed the account yet")
        if self._busy >= AT_ONCE:
            return Retry("other contacts are being looked at")
        self._busy += 1
        try:
            return await self._mend(chat, phone)
        except (UnreachableError, RefusedError) as error:
            return Retry(str(error))
        except RejectedError as error:
            return Dead(str(error))
        finally:
            self._busy -= 1

    async def _mend(self, chat: CrmChatId, phone: str) -> Outcome:
        contact = await contact_of(self._rest, chat)
        if contact is None:
            return Retry("amoCRM has not linked the chat to a contact yet")
        values = await read_phones(self._rest, contact)
        wanted = None if values is None else rewritten(values, phone)
        if wanted is not None and wanted != values:
            await write_phones(self._rest, contact, wanted)
            _log.info("contact_phone_rewritten", contact=contact)
        return Delivered()
