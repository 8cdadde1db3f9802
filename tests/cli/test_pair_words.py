"""How a pairing ended, in words."""

from __future__ import annotations

import pytest

from relay.cli.pair_words import linked, not_linked, not_unlinked
from relay.domain.ids import OwnNumber
from relay.whatsapp.linked_device.pairing_terms import Linked, NotLinkedError, Why


@pytest.mark.parametrize("why", Why)
def test_every_end_has_words(why: Why) -> None:
    """Each way to fail names the channel and is said in whole sentences without a gap."""
    words = not_linked("sales", "74950000001", NotLinkedError(why, "+79990000000"))
    assert words.startswith("sales: ")
    assert words.endswith(".")
    assert "{" not in words


@pytest.mark.parametrize("why", [Why.WRONG_NUMBER, Why.WRONG_NUMBER_STAYS])
def test_a_wrong_number_tells_both(why: Why) -> None:
    """The number that took the code, the one the file wants, and the key that says so."""
    words = not_linked("sales", "74950000001", NotLinkedError(why, "+79990000000"))
    assert "That was +79990000000" in words
    assert '`channels.sales.phone: "+74950000001"`' in words


def test_a_passkey_tells_what_else_there_is() -> None:
    """Not now, by neither way; later, or the Cloud API with coexistence."""
    words = not_linked("sales", None, NotLinkedError(Why.PASSKEY, "passkey-request"))
    for part in ("passkey", "cannot be linked now", "another day", "coexistence", "cloud_api"):
        assert part in words


@pytest.mark.parametrize(("name", "words"), [("Sales", " (Sales)"), (None, "")])
def test_success_tells_number_and_name(name: str | None, words: str) -> None:
    """The number always, the name if WhatsApp told it."""
    assert linked("sales", Linked(OwnNumber("74950000001"), name)) == (
        f"sales: linked to +74950000001{words}"
    )


def test_a_device_that_stays_can_be_removed_on_the_phone() -> None:
    """What could not be logged out is kept, and the other way is told."""
    words = not_unlinked("sales", "no connection")
    assert "no connection" in words
    assert "kept" in words
    assert "Linked devices" in words
