"""How SQLite means to run our statements: by an index, never by walking what is finished."""

from __future__ import annotations

import re
from collections.abc import Iterator
from types import ModuleType

import pytest

import relay.sqlite.entries
import relay.sqlite.journal
import relay.sqlite.ledger
import relay.sqlite.outbox
import relay.sqlite.people
import relay.sqlite.posted
import relay.sqlite.tokens
from relay.sqlite import SqliteStore

_MODULES = (
    relay.sqlite.journal,
    relay.sqlite.entries,
    relay.sqlite.outbox,
    relay.sqlite.people,
    relay.sqlite.posted,
    relay.sqlite.tokens,
    relay.sqlite.ledger,
)
_PARTIAL = r"USING (COVERING )?INDEX (entry|journal)_(?!tidy)"


def statements(module: ModuleType) -> Iterator[str]:
    for value in vars(module).values():
        for text in value if isinstance(value, tuple) else (value,):
            if isinstance(text, str) and re.match("SELECT|UPDATE|DELETE|INSERT", text):
                yield text


def places(sql: str) -> int:
    numbered = [int(number) for number in re.findall(r"\?(\d+)", sql)]
    return max(numbered, default=sql.count("?"))


@pytest.mark.parametrize("module", _MODULES, ids=lambda module: module.__name__)
def test_no_statement_walks_a_table(store: SqliteStore, module: ModuleType) -> None:
    """Every statement searches; one that walks an index walks one of living rows alone."""
    sqls = list(statements(module))
    assert sqls
    for sql in sqls:
        plan = store._opened.reader.execute(f"EXPLAIN QUERY PLAN {sql}", (None,) * places(sql))
        for *_, step in plan:
            walks_the_living = re.search(_PARTIAL, step)
            walks_a_list = step.startswith("SCAN json_each")  # handed over, not stored
            assert not step.startswith("SCAN") or walks_the_living or walks_a_list, f"{sql}\n{step}"
            assert "TEMP B-TREE" not in step, f"{sql}\n{step}"
