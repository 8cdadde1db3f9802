"""The catalogue of texts."""

from __future__ import annotations

import pytest

from relay.domain.settings import Language
from relay.domain.texts import Reason, reason_text


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("reason", Reason)
def test_every_reason_has_words_and_a_next_step_in_both_languages(
    reason: Reason, language: Language
) -> None:
    """A manager is told what happened in one sentence and what to do in another."""
    text = reason_text(reason, language, channel="Продажи")
    assert text.endswith(".")
    assert text.count(". ") >= 1
    assert "{" not in text


def test_a_channel_is_called_by_its_title() -> None:
    """Where a channel is to blame, its title is named."""
    assert "«Продажи»" in reason_text(Reason.EXPIRED, Language.RU, channel="Продажи")
