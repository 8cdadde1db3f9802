"""Things to put into a store."""

from __future__ import annotations

from relay.domain.bodies import Body, Reply, StatusUpdate
from relay.domain.contents import Text
from relay.domain.ids import (
    ChannelId,
    ClientAddress,
    ConversationId,
    CrmMessageId,
    OwnNumber,
    WhatsAppMessageId,
)
from relay.domain.message import Receipt, Status
from relay.domain.outbox import Destination, Letter

AMOCRM, WHATSAPP = Destination.AMOCRM, Destination.WHATSAPP
SALES, SUPPORT = ChannelId("sales"), ChannelId("support")
OWN, OTHER_OWN = OwnNumber("74950000001"), OwnNumber("74950000002")
FIRST, SECOND = WhatsAppMessageId("3EB0-1"), WhatsAppMessageId("3EB0-2")
CRM_FIRST, CRM_SECOND = CrmMessageId("crm-1"), CrmMessageId("crm-2")

ACCEPTED_MS = 1_000
EXPIRES_MS = 100_000
HORIZON_MS = 1_000_000


def letter(
    key: str,
    lane: str = "lane",
    *,
    to: Destination = AMOCRM,
    channel: ChannelId | None = SALES,
    accepted_ms: int = ACCEPTED_MS,
    expires_ms: int = EXPIRES_MS,
) -> Letter:
    """A letter of the kind that goes there."""
    return Letter(key, lane, to, _body(key, to), f"t-{key}", channel, accepted_ms, expires_ms)


def _body(key: str, to: Destination) -> Body:
    if to is AMOCRM:
        return StatusUpdate(CrmMessageId(key), Status.READ)
    return Reply(
        ConversationId("wa-74950000001-79001234567"),
        CrmMessageId(key),
        SALES,
        OWN,
        ClientAddress("79001234567"),
        Text("Здравствуйте 👋\n\x00 "),
    )


def receipt(
    status: Status, whatsapp_id: WhatsAppMessageId = FIRST, *, at_ms: int = 5_000
) -> Receipt:
    """WhatsApp's word on one message."""
    return Receipt(OWN, (whatsapp_id,), status, at_ms)
