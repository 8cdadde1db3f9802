"""The part of the ledger that knows which one-time tokens were used."""

from __future__ import annotations

from relay.sqlite.people import PeopleTable

_SPEND = "INSERT INTO widget_token (id, until_ms) VALUES (?, ?) ON CONFLICT (id) DO NOTHING"
_FORGET = (
    "DELETE FROM widget_token WHERE id IN (SELECT id FROM widget_token"
    " WHERE until_ms <= ? ORDER BY until_ms LIMIT ?)"
)
_FORGOTTEN_AT_ONCE = 100


class TokenTable(PeopleTable):
    """One-time tokens."""

    def spend(self, token: str, until_ms: int, now_ms: int) -> bool:
        """Remember that it is used; some of those that have ended are forgotten each time."""
        self._connection.execute(_FORGET, (now_ms, _FORGOTTEN_AT_ONCE))
        return self._connection.execute(_SPEND, (token, until_ms)).rowcount > 0
