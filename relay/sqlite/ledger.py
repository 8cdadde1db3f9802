"""The whole ledger over one connection, and the forgetting of what is over."""

from __future__ import annotations

from relay.sqlite.posted import PostedTable

# In this order, so that a bounded step always means the same rows.
_TIDY = (
    (
        "DELETE FROM entry WHERE id IN (SELECT id FROM entry"
        " WHERE state = 2 AND finished_ms < ? ORDER BY finished_ms, id LIMIT ?)"
    ),
    (
        "DELETE FROM journal WHERE seq IN (SELECT seq FROM journal"
        " WHERE state = 1 AND received_ms < ? ORDER BY received_ms, seq LIMIT ?)"
    ),
    (
        "DELETE FROM link WHERE (own, whatsapp_id) IN (SELECT own, whatsapp_id FROM link"
        " WHERE kept_ms < ? ORDER BY kept_ms, own, whatsapp_id LIMIT ?)"
    ),
    (
        "DELETE FROM told WHERE crm_id IN (SELECT crm_id FROM told"
        " WHERE kept_ms < ? ORDER BY kept_ms, crm_id LIMIT ?)"
    ),
    (
        "DELETE FROM early_receipt WHERE (own, whatsapp_id) IN (SELECT own, whatsapp_id"
        " FROM early_receipt WHERE kept_ms < ? ORDER BY kept_ms, own, whatsapp_id LIMIT ?)"
    ),
    (
        "DELETE FROM posted WHERE message IN (SELECT message FROM posted"
        " WHERE kept_ms < ? ORDER BY kept_ms, message LIMIT ?)"
    ),
)


class SqliteLedger(PostedTable):
    """Implements :class:`relay.delivery.ledger.Ledger` on one connection, in its transaction."""

    def tidy(self, before_ms: int, limit: int) -> int:
        """Forget up to ``limit`` things from before that time; how many.

        Delivered entries go by the time they finished, and their keys with them; read rows by the
        time they came; links, and what amoCRM was told, by the time they were written; receipts
        whose link never came, and what was posted, likewise.
        """
        left = limit
        for sql in _TIDY:
            if left > 0:
                left -= self._connection.execute(sql, (before_ms, left)).rowcount
        return limit - left
