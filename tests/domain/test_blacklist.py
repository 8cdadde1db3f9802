"""The compiled blacklist, held to the plain reading of the list it was made of."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.domain.blacklist import Blacklist, one_way
from relay.domain.ids import ClientAddress
from relay.domain.message import Client

NUMBERS = st.from_regex(r"[1-9][0-9]{6,14}", fullmatch=True)
FEW = st.sampled_from("12")  # so that numbers and beginnings meet
NEAR = st.lists(FEW, min_size=7, max_size=9).map("".join)
BEGINNINGS = st.lists(FEW, min_size=1, max_size=9).map("".join)
ENTRIES = st.lists(NEAR.map(lambda n: f"+{n}") | BEGINNINGS.map(lambda b: f"+{b}*"), max_size=12)


def listed(entries: list[str], number: str) -> bool:
    """The list read entry by entry."""
    return any(
        number.startswith(entry[1:-1]) if entry.endswith("*") else number == entry[1:]
        for entry in entries
    )


@given(ENTRIES, NEAR)
def test_a_number_is_listed_as_the_list_says_read_entry_by_entry(
    entries: list[str], number: str
) -> None:
    """Compiling changes nothing: equal to an entry, or beginning with one that ends in ``*``."""
    assert (number in Blacklist.compiled(entries)) == listed(entries, number)


@given(ENTRIES, st.randoms(use_true_random=False))
def test_order_and_repetition_mean_nothing(entries: list[str], chance: object) -> None:
    """The same entries in any order, however often, are the same list."""
    shuffled = [*entries, *entries]
    chance.shuffle(shuffled)  # type: ignore[attr-defined]  # a random.Random
    assert Blacklist.compiled(shuffled) == Blacklist.compiled(entries)


@given(NUMBERS)
def test_an_empty_list_lists_nobody(number: str) -> None:
    """Without entries everybody may enter."""
    assert number not in Blacklist()


@pytest.mark.parametrize(
    ("longer", "shorter"),
    [
        ("5215512345678", "525512345678"),
        ("5491123456789", "541123456789"),
        ("5511987654321", "551187654321"),
    ],
)
def test_a_number_that_whatsapp_writes_in_two_ways_is_one(longer: str, shorter: str) -> None:
    """Mexico, Argentina, Brazil: listed in either form, met in either form."""
    for written in (longer, shorter):
        for met in (longer, shorter):
            assert met in Blacklist.compiled([f"+{written}"])
    assert one_way(longer) == shorter
    assert longer in Blacklist.compiled([f"+{shorter[:6]}*"])


@given(NUMBERS)
def test_one_way_is_reached_in_one_step(number: str) -> None:
    """What is written in the one way stays as it is."""
    assert one_way(one_way(number)) == one_way(number)


def test_a_client_is_listed_by_the_number_he_is_known_to_have() -> None:
    """By it even if he comes by a hidden address; a hidden address alone is no number."""
    blacklist = Blacklist.compiled(["+79001234567", "+7900555*"])
    hidden = ClientAddress("lid:1234567")
    assert blacklist.lists(Client(ClientAddress("79001234567"), "+79001234567"))
    assert blacklist.lists(Client(ClientAddress("79001234567")))
    assert blacklist.lists(Client(hidden, "+79005550011"))
    assert not blacklist.lists(Client(hidden))
    assert not blacklist.lists(Client(ClientAddress("79001234568"), "+79001234568"))
