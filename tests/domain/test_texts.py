"""The catalogue of texts."""

from __future__ import annotations

import re
import string

import pytest

from relay.domain.reasons import LATE, Reason
from relay.domain.session import SessionState
from relay.domain.settings import Language
from relay.domain.texts import (
    _REASONS,
    SENT_FROM_PHONE,
    reason_text,
)

CYRILLIC = re.compile("[а-яё]", re.IGNORECASE)
OURS = {"channel", "wait", "limit"}


def test_every_reason_is_in_the_catalogue() -> None:
    """None is without words, and there are no words without a reason."""
    assert set(_REASONS) == set(Reason)


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("reason", Reason)
def test_every_reason_has_words_and_a_next_step_in_both_languages(
    reason: Reason, language: Language
) -> None:
    """A manager is told what happened in one sentence and what to do in another."""
    happened, then = _REASONS[reason].ru if language is Language.RU else _REASONS[reason].en
    for sentence in (happened, then):
        assert sentence[0].isupper() or sentence.startswith("{")
        assert sentence.endswith(".")
        assert "  " not in sentence
        assert bool(CYRILLIC.search(sentence)) == (language is Language.RU)


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("reason", Reason)
def test_nothing_is_left_unfilled(reason: Reason, language: Language) -> None:
    """No brace reaches a manager, whatever the channel is called, and both languages fill alike."""
    text = reason_text(reason, language, channel="Продажи", wait_ms=60_000)
    assert not set("{}") & set(text)
    fields = [
        {name for _, name, _, _ in string.Formatter().parse(" ".join(pair)) if name is not None}
        for pair in (_REASONS[reason].ru, _REASONS[reason].en)
    ]
    assert fields[0] == fields[1] <= OURS
    odd = reason_text(reason, language, channel="{a} {}", wait_ms=1)
    assert ("{a} {}" in odd) == ("channel" in fields[0])


def test_the_two_languages_say_the_same_number_of_things() -> None:
    """Everything that is not a reason has both languages too."""
    assert set(SENT_FROM_PHONE) == set(Language)


def test_a_channel_is_called_by_its_title() -> None:
    """Where a channel is to blame, its title is named."""
    assert "«Продажи»" in reason_text(Reason.EXPIRED, Language.RU, channel="Продажи")


@pytest.mark.parametrize("state", SessionState)
def test_whose_time_was_over_is_told_the_channel_and_what_it_was_waiting_for(
    state: SessionState,
) -> None:
    """Every state of a session has a reason that names the channel."""
    assert "«Продажи»" in reason_text(LATE[state], Language.RU, channel="Продажи")


def test_an_unlinked_channel_says_to_scan_and_a_banned_one_does_not() -> None:
    """The next step is that of the obstacle."""
    scan = [state for state, reason in LATE.items() if "QR" in reason_text(reason, Language.RU)]
    assert scan == [SessionState.UNPAIRED, SessionState.LOGGED_OUT]
