"""One event is one line of JSON, whatever is in it."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from relay.app.logging import as_json_line

texts = st.text(st.characters() | st.characters(categories=["Cs"]))


@given(texts)
def test_a_line_never_fails(said: str) -> None:
    """Strangers' words may hold halves of characters and line ends: still one line, still JSON."""
    line = as_json_line(None, "warning", {"event": "told", "error": said})
    assert "\n" not in line
    assert json.loads(line)["error"] == said
