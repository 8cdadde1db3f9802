"""Signatures under texts that come back."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from relay.domain.signatures import APART, Signatures

ANNA = "Анна, отдел продаж"
LONG = "С уважением,\n\nОльга\n\n+7 495 000-00-01"
OURS = Signatures.compiled([ANNA, f"{LONG}\n", "  "])

WORDS = st.text(alphabet=st.sampled_from("аб \n👋.\u200f"), max_size=40)
SIGNATURES = WORDS.filter(str.strip)


@given(WORDS.filter(str.strip), st.lists(SIGNATURES, min_size=1, max_size=4), st.data())
def test_what_was_put_under_a_text_comes_off_again(
    text: str, signatures: list[str], data: st.DataObject
) -> None:
    """Text, empty line, signature: the text is left exactly, unless another one fits better."""
    signature = data.draw(st.sampled_from(signatures)).strip()
    ours = Signatures.compiled(signatures)
    left = ours.without(text + APART + signature)
    shorter = {one.strip() for one in signatures} - {signature}
    assume(not any(signature.endswith(APART + one) for one in shorter))
    assume((text + APART + signature).strip() not in ours.known)
    assert left == text


@given(WORDS, st.lists(SIGNATURES, max_size=4))
def test_nothing_but_a_signature_is_ever_taken_off(text: str, signatures: list[str]) -> None:
    """What is left is how the text began; what is gone is one of the signatures."""
    ours = Signatures.compiled(signatures)
    left = ours.without(text)
    assert text.startswith(left)
    if left != text:
        assert text[len(left) :].strip() in ours.known


@pytest.mark.parametrize("signature", [ANNA, LONG])
def test_one_or_several_paragraphs(signature: str) -> None:
    """A signature may have empty lines itself."""
    assert OURS.without(f"Добрый день{APART}{signature}") == "Добрый день"
    assert OURS.without(f"Добрый день{APART}{signature}\n ") == "Добрый день"


@pytest.mark.parametrize(
    "text",
    [
        f"Добрый день\n{ANNA}",
        f"Добрый день{APART}{ANNA}.",
        f"{ANNA}{APART}Добрый день",
        "Добрый день",
        "",
    ],
)
def test_a_text_that_is_not_signed_stays_as_it_is(text: str) -> None:
    """Only a whole signature after an empty line, at the very end, is one."""
    assert OURS.without(text) == text


def test_a_caption_may_be_nothing_but_a_signature() -> None:
    """A medium sent without words carried the signature alone."""
    assert OURS.without(ANNA) == ""


def test_a_long_text_is_no_trouble() -> None:
    """65 000 characters, all of them empty lines."""
    text = "\n" * 65_000 + "конец"
    assert OURS.without(text) == text
