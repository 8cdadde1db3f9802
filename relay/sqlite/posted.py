"""The part of the ledger that knows what the relay itself put into amoCRM in the bot's name."""

from __future__ import annotations

from collections.abc import Sequence

from relay.domain.ids import ConversationId, CrmMessageId, MessageId
from relay.sqlite.tokens import TokenTable

_POST = (
    "INSERT INTO posted (message, conversation, crm_id, kept_ms) VALUES (?, ?, ?, ?)"
    " ON CONFLICT (message) DO UPDATE SET conversation = excluded.conversation,"
    " crm_id = coalesce(excluded.crm_id, crm_id), kept_ms = excluded.kept_ms"
)
_ANY_POSTED = "SELECT max(kept_ms) FROM posted"
_POSTED = "SELECT 1 FROM posted WHERE crm_id = ?"
_NAMELESS = "SELECT message FROM posted WHERE conversation = ? AND crm_id IS NULL ORDER BY message"


class PostedTable(TokenTable):
    """Messages of our own in amoCRM."""

    def post(
        self, message: MessageId, conversation: ConversationId, crm_id: CrmMessageId | None
    ) -> None:
        """Remember that it is there; an id once told is not forgotten for an unknown one."""
        row = (message, conversation, crm_id, self._now_ms)
        self._connection.execute(_POST, row)
        self._memory.posted = True

    def posted(self, crm_id: CrmMessageId) -> bool:
        """Whether it is one of them."""
        if not self._any_posted():
            return False
        return self._connection.execute(_POSTED, (crm_id,)).fetchone() is not None

    def _any_posted(self) -> bool:
        """Whether there are any: without replies of ours there are none, and every hook asks."""
        posted = self._memory.posted
        if posted is None:
            (latest_ms,) = self._connection.execute(_ANY_POSTED).fetchone()
            posted = latest_ms is not None
            if self._memory.lasting:
                self._memory.posted = posted
        return posted

    def nameless(self, conversation: ConversationId) -> Sequence[MessageId]:
        """Those of the conversation whose id amoCRM did not tell."""
        rows = self._connection.execute(_NAMELESS, (conversation,))
        return [MessageId(message) for (message,) in rows]
