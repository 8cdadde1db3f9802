"""The numbers of a card: which become +7, and that nothing else changes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.domain.contact_phones import PhoneValue, has_short_form, rewritten

PHONE = "+79991234567"


def card(*values: str) -> list[PhoneValue]:
    """A card whose every number is of a kind of its own."""
    return [PhoneValue(value, f"K{at}") for at, value in enumerate(values)]


@pytest.mark.parametrize(
    "written",
    [
        "89991234567",
        "8 (999) 123-45-67",
        "8-999-123.45.67",
        " 8\u00a0999 123 45 67 ",
        "8/9991234567",
    ],
)
def test_the_short_form_becomes_international(written: str) -> None:
    """8 and ten digits, in any punctuation, is the client's number: +7 and ten digits."""
    assert rewritten(card(written), PHONE) == card(PHONE)


@pytest.mark.parametrize(
    "written",
    [
        "+79991234567",
        "79991234567",
        "9991234567",
        "8999123456",
        "899912345678",
        "+89991234567",
        "89991234568",
        "8 999 123-45-67 доб. 2",
        "8 999 123-45-67 мама",
        "+375291234567",
        "",
        "🙂",
        "٨٩٩٩١٢٣٤٥٦٧",
    ],
)
def test_everything_else_is_left_alone(written: str) -> None:
    """Another length, country, number, or a remark beside it: not one character changes."""
    assert rewritten(card(written), PHONE) == card(written)


@pytest.mark.parametrize("phone", ["+375291234567", "+7999123456", "+799912345678", "79991234567"])
def test_other_countries_and_lengths_have_no_short_form(phone: str) -> None:
    """Only +7 and ten digits may stand in a card as 8 and ten digits."""
    assert not has_short_form(phone)
    assert rewritten(card("8" + phone[-10:]), phone) == card("8" + phone[-10:])


def test_nothing_has_no_short_form() -> None:
    """A number that nobody knows is none."""
    assert not has_short_form(None)
    assert has_short_form(PHONE)


def test_what_became_equal_stands_once() -> None:
    """Two equal values of one kind say no more than one; of two kinds, both are kept."""
    twice = [PhoneValue("89991234567", "WORK"), PhoneValue("8 999 1234567", "WORK")]
    assert rewritten(twice, PHONE) == [PhoneValue(PHONE, "WORK")]
    beside = [PhoneValue("89991234567", "WORK"), PhoneValue(PHONE, "WORK")]
    assert rewritten(beside, PHONE) == [PhoneValue(PHONE, "WORK")]
    kinds = [PhoneValue("89991234567", "WORK"), PhoneValue("89991234567", "MOB")]
    assert rewritten(kinds, PHONE) == [PhoneValue(PHONE, "WORK"), PhoneValue(PHONE, "MOB")]


values = st.lists(
    st.builds(
        PhoneValue,
        st.one_of(
            st.sampled_from(["89991234567", "8 (999) 123-45-67", PHONE, "+375291234567"]),
            st.text(max_size=20),
        ),
        st.sampled_from(["WORK", "MOB", 3, None]),
    ),
    max_size=10,
)


@given(values)
def test_others_stay_in_their_order_and_a_second_time_changes_nothing(
    before: list[PhoneValue],
) -> None:
    """Whatever stands in a card: the rest stays as and where it was; doing it twice is once."""
    after = rewritten(before, PHONE)
    kept = [value for value in before if value in after and value.value != PHONE]
    assert [value for value in after if value.value != PHONE] == kept
    assert rewritten(after, PHONE) == after
    assert len(after) <= len(before)
