"""What would happen to a message, and the lines of the file that say so."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from relay.app.explain.answer import Explainer
from relay.app.explain.incoming import IN_WORDS
from relay.app.explain.outgoing import OUT_WORDS
from relay.app.explain.terms import (
    Effect,
    Explanation,
    FromClient,
    Known,
    Outcome,
    QuestionError,
    Ruling,
    ToClient,
)
from relay.config.load import load_with_places
from relay.domain.ids import ChannelId, OwnNumber
from relay.domain.incoming import IN_RULES
from relay.domain.outgoing import OUT_RULES
from tests.config.writing import NOWHERE, SALES, SUPPORT, written

TEXT = written(
    SALES.replace("}", ', phone: "+74950000001"}') + SUPPORT,
    """\
settings:
  default_channel: support
  import_sent_from_phone: true
  title_in_messages: [sales]
  blacklist:
    - "+79001234567"
    - "+7900555*"
  phone_8_to_7: true
users:
  7:
    name: Анна
    channels:
      - support
      - sales
    signature: |
      Анна,
      отдел продаж
  8: {name: Игорь, channels: [default]}
  9: {channels: []}
""",
)
SALES_ID, SUPPORT_ID = ChannelId("sales"), ChannelId("support")
RUNNING = Known(running=True, own={SALES_ID: OwnNumber("74950000001")})
VERA = "+79161234567"


def line(words: str) -> int:
    return next(n for n, text in enumerate(TEXT.splitlines(), start=1) if words in text)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "relay.yaml"
    path.write_text(TEXT)
    return path


def explain(
    file: Path, asked: FromClient | ToClient, known: Known | None = None, more: str = ""
) -> Explanation:
    file.write_text(TEXT + more)
    loaded, places = load_with_places(file, NOWHERE)
    return Explainer(loaded.config, places, known or Known()).explain(asked)


def ruling(told: Explanation, rule: str) -> Ruling:
    (found,) = (ruling for ruling in told.rulings if ruling.rule == rule)
    return found


def lines(found: Ruling) -> list[tuple[str, int | None]]:
    return [(basis.key, basis.line) for basis in found.basis]


def test_every_rule_has_words() -> None:
    """A rule that is added to the chain is explained too, or this fails."""
    assert list(IN_WORDS) == [rule.__name__ for rule in IN_RULES]
    assert list(OUT_WORDS) == [rule.__name__ for rule in OUT_RULES]


# --- Into amoCRM ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("phone", "entry", "index"),
    [("+79001234567", "+79001234567", 0), ("8 (900) 555-00-00", "+7900555*", 1)],
)
def test_a_listed_number_names_its_entry(file: Path, phone: str, entry: str, index: int) -> None:
    """Which line of the blacklist keeps the conversation out, for a number in any notation."""
    told = explain(file, FromClient(phone, SALES_ID))
    assert told.outcome is Outcome.IGNORED
    last = told.rulings[-1]
    assert (last.effect, last.says) == (Effect.ENDS, f"the blacklist has {entry}")
    assert lines(last) == [(f"settings.blacklist[{index}]", line(f'"{entry}"'))]


def test_marks_name_what_they_are_due_to(file: Path) -> None:
    """The title's line and the setting's line, and the text as amoCRM shows it."""
    told = explain(file, FromClient(VERA, SALES_ID, typed_on_phone=True, text="Привет"))
    assert told.outcome is Outcome.ENTERS
    assert told.text == "[Sales] [Отправлено с телефона] Привет"
    assert lines(ruling(told, "open_with_marks")) == [
        ("settings.title_in_messages[0]", line("title_in_messages")),
        ("channels.sales.title", line("title: Sales")),
        ("language", None),
    ]
    imported = ruling(told, "import_only_on_request")
    assert lines(imported) == [("settings.import_sent_from_phone", line("import_sent"))]


def test_a_phones_message_that_is_not_imported(file: Path) -> None:
    """The rule that ends it names the switch, written or not."""
    told = explain(file, FromClient(VERA, SUPPORT_ID, typed_on_phone=True))
    assert told.outcome is Outcome.ENTERS
    without = TEXT.replace("  import_sent_from_phone: true\n", "")
    file.write_text(without)
    loaded, places = load_with_places(file, NOWHERE)
    asked = FromClient(VERA, SUPPORT_ID, typed_on_phone=True)
    told = Explainer(loaded.config, places, Known()).explain(asked)
    assert told.outcome is Outcome.IGNORED
    assert lines(told.rulings[-1]) == [("settings.import_sent_from_phone", None)]


def test_a_signature_that_comes_back(file: Path) -> None:
    """What was typed on the phone with a manager's signature under it loses that."""
    signed = "Добрый день\n\nАнна,\nотдел продаж"
    told = explain(file, FromClient(VERA, SUPPORT_ID, typed_on_phone=True, text=signed))
    assert ruling(told, "take_signature_off").effect is Effect.CHANGES
    assert told.text == "[Отправлено с телефона] Добрый день"


def test_the_card_is_told_besides(file: Path) -> None:
    """8 → +7 follows a client's first message; it is no rule, and it is said after them."""
    told = explain(file, FromClient(VERA, SALES_ID))
    assert told.rulings[-1].effect is Effect.AFTER
    assert lines(told.rulings[-1]) == [("settings.phone_8_to_7", line("phone_8_to_7"))]
    british = explain(file, FromClient("+447400123456", SALES_ID))
    assert british.rulings[-1].rule == "open_with_marks"


# --- Out of amoCRM --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "channel", "says", "keys"),
    [
        (
            ToClient(VERA, 7),
            "support",
            "the first channel of Анна",
            [("users.7.channels[0]", line("- support"))],
        ),
        (
            ToClient(VERA, 7, chat=SALES_ID),
            "sales",
            "the chat's own channel",
            [("users.7.channels[1]", line("- sales"))],
        ),
        (
            ToClient(VERA, 7, source=SALES_ID),
            "sales",
            "the channel of the chosen source",
            [("users.7.channels[1]", line("- sales"))],
        ),
        (
            ToClient(VERA, 8, chat=SALES_ID),
            "support",
            "the first channel of Игорь: Игорь is not bound to sales, the chat's own channel",
            [
                ("users.8.channels[0]", line("Игорь")),
                ("settings.default_channel", line("default_channel")),
            ],
        ),
        (
            ToClient(VERA, None),
            "support",
            "the default channel",
            [
                ("settings.default_channel", line("default_channel")),
                ("channels.support", line("  support:")),
            ],
        ),
        (ToClient(VERA, None, chat=SALES_ID), "sales", "the chat's own channel", []),
    ],
)
def test_the_channel_and_why(
    file: Path, asked: ToClient, channel: str, says: str, keys: list[tuple[str, int]]
) -> None:
    """Which channel, by which rule, and the line that binds the writer to it."""
    told = explain(file, asked)
    chosen = ruling(told, "choose_channel")
    assert chosen.says == f"it goes through {channel}, {says}"
    assert lines(chosen) == keys
    assert (told.outcome, told.verdict) == (
        Outcome.SENT,
        f"it is sent to {VERA} through channel {channel}",
    )


def test_a_stranger_may_not_send(file: Path) -> None:
    """Nobody in the file, and no everyone_else: refused, with what the manager is told."""
    told = explain(file, ToClient(VERA, 5))
    assert told.outcome is Outcome.REFUSED
    assert lines(told.rulings[-1]) == [("users", line("users:"))]
    assert "905" in told.verdict
    more = "  everyone_else: {channels: [sales], signature: Все}\n"
    told = explain(file, ToClient(VERA, 5, text="Да"), more=more)
    assert (told.outcome, told.text) == (Outcome.SENT, "Да\n\nВсе")
    assert told.rulings[0].says == "user 5 is not in users, and counts as everyone else"


def test_who_is_bound_to_nothing(file: Path) -> None:
    """An empty list of channels is said to be the reason."""
    told = explain(file, ToClient(VERA, 9))
    assert told.outcome is Outcome.REFUSED
    assert told.rulings[-1].says == "it goes through no channel: user 9 is bound to none"


def test_the_signature_of_the_writer(file: Path) -> None:
    """The client gets it, and its line is named; robots have none."""
    told = explain(file, ToClient(VERA, 7, text="Да"))
    assert told.text == "Да\n\nАнна,\nотдел продаж"
    assert lines(ruling(told, "sign_it")) == [("users.7.signature", line("signature:"))]
    assert explain(file, ToClient(VERA, None, text="Да")).text == "Да"


def test_writing_first_waits_its_turn(file: Path) -> None:
    """The pace of a linked device is told for who never wrote, with its line or its default."""
    first = explain(file, ToClient(VERA, 7, source=SALES_ID)).rulings[-1]
    assert (first.rule, first.effect) == ("pacing", Effect.AFTER)
    assert lines(first) == [("channels.sales.pacing", None)]
    assert explain(file, ToClient(VERA, 7, chat=SALES_ID)).rulings[-1].rule != "pacing"
    assert explain(file, ToClient(VERA, 7)).rulings[-1].rule != "pacing", "Meta paces itself"


# --- What a running relay knows -------------------------------------------------------------------


def test_a_channel_that_is_not_linked_is_waited_for(file: Path) -> None:
    """The relay knows no number of it; how long is waited has its line too."""
    told = explain(file, ToClient(VERA, 8), RUNNING)
    assert told.outcome is Outcome.WAITS
    assert told.rulings[-1].says == "channel support is not linked; it waits for that up to 1h"


def test_a_number_known_to_be_absent_is_refused(file: Path) -> None:
    """Unless the client has written in that chat."""
    known = replace(RUNNING, absent=frozenset({"79161234567"}))
    told = explain(file, ToClient("8 916 123-45-67", 7, source=SALES_ID), known)
    assert told.outcome is Outcome.REFUSED
    assert "904" in told.verdict
    reply = told.rulings[-1]
    assert (reply.effect, lines(reply)) == (Effect.AFTER, [("settings.error_replies", None)])
    assert explain(file, ToClient(VERA, 7, chat=SALES_ID), known).outcome is Outcome.SENT


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (FromClient(VERA, ChannelId("sale")), r"no channel sale \(nearest: sales\)"),
        (ToClient(VERA, 7, chat=ChannelId("x")), "no channel x; there are sales, support"),
        (ToClient(VERA, 7, source=ChannelId("x")), "no channel x"),
        (FromClient("12", SALES_ID), "12: expected a number with its country code"),
        (ToClient("nobody", 7), "nobody: expected a number"),
    ],
)
def test_what_cannot_be_asked(file: Path, asked: FromClient | ToClient, words: str) -> None:
    """Channels that do not exist, and numbers that are none."""
    with pytest.raises(QuestionError, match=words):
        explain(file, asked)
