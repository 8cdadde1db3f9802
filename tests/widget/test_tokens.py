"""amoCRM's one-time token: what is believed, and what is not."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.widget.tokens import (
    LONGEST_LIFE_S,
    TOLERANCE_S,
    AccountUnknownError,
    Claims,
    Integration,
    TokenRefusedError,
    verify,
)

SECRET = "client-secret-example"
VECTOR = (
    "eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJodHRwczovL2RlbW8uYW1vY3JtLnJ1IiwiYXVkIjoiaHR0"
    "cHM6Ly9yZWxheS5leGFtcGxlIiwianRpIjoiMDAwMDAwMDAtMDAwMC00MDAwLTgwMDAtMDAwMDAwMDAwMDAxIiwiaWF0Ij"
    "oxNzcwMTEzNzMwLCJuYmYiOjE3NzAxMTM3MzAsImV4cCI6MTc3MDExNTUzMCwiYWNjb3VudF9pZCI6MTIzLCJ1c2VyX2lk"
    "Ijo0NTYsInN1YmRvbWFpbiI6ImRlbW8iLCJjbGllbnRfdXVpZCI6IjIyMjIyMjIyLTMzMzMtNDQ0NC04NTU1LTY2NjY2Nj"
    "Y2NjY2NiJ9.rCiHMhxhFn8E-EUlp0qibhv7WYQ758nzEmZJh72-Y-8"
)
INTEGRATION = Integration(
    id="22222222-3333-4444-8555-666666666666",
    secret=SECRET,
    issuer="https://demo.amocrm.ru",
    audiences=frozenset({"https://relay.example"}),
    account_id=123,
)
IAT, EXP = 1770113730, 1770115530
CLAIMS: dict[str, Any] = {
    "iss": "https://demo.amocrm.ru",
    "aud": "https://relay.example",
    "jti": "00000000-0000-4000-8000-000000000001",
    "iat": IAT,
    "nbf": IAT,
    "exp": EXP,
    "account_id": 123,
    "user_id": 456,
    "subdomain": "demo",
    "client_uuid": "22222222-3333-4444-8555-666666666666",
}


def made(key: str = SECRET, /, **claims: object) -> str:
    """A token with some claims changed; None takes one out."""
    said = {name: value for name, value in (CLAIMS | claims).items() if value is not None}
    return signed({"typ": "JWT", "alg": "HS256"}, said, key, hashlib.sha256)


def signed(header: object, said: object, key: str, hashed: Any) -> str:
    """The parts with their signature, as RFC 7515 has it."""
    body = ".".join(_encoded(json.dumps(part).encode()) for part in (header, said))
    return f"{body}.{_encoded(hmac.digest(key.encode(), body.encode(), hashed))}"


def _encoded(part: bytes) -> str:
    return base64.urlsafe_b64encode(part).rstrip(b"=").decode()


def test_the_vector_of_the_reference() -> None:
    """amoCRM's own example is good from its beginning to its end, clocks apart by a minute."""
    claims = Claims(CLAIMS["jti"], 456, EXP + TOLERANCE_S)  # type: ignore[arg-type]  # a UserId
    for now in (IAT - TOLERANCE_S, IAT, EXP, EXP + TOLERANCE_S - 1):
        assert verify(VECTOR, INTEGRATION, now) == claims


def test_times_are_kept() -> None:
    """A second before, and from the very end on, it is refused."""
    for now in (IAT - TOLERANCE_S - 1, EXP + TOLERANCE_S):
        with pytest.raises(TokenRefusedError):
            verify(VECTOR, INTEGRATION, now)


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "https://other.amocrm.ru"},
        {"iss": "https://demo.amocrm.ru.evil.example"},
        {"iss": "http://demo.amocrm.ru"},
        {"iss": ["https://demo.amocrm.ru"]},
        {"aud": "https://relay.example.evil"},
        {"aud": ["https://relay.example"]},
        {"aud": ""},
        {"account_id": 124},
        {"account_id": "123"},
        {"account_id": True},
        {"client_uuid": "22222222-3333-4444-8555-666666666667"},
        {"client_uuid": 5},
        {"user_id": "456"},
        {"user_id": 0},
        {"user_id": 456.0},
        {"user_id": 2**70},
        {"jti": ""},
        {"jti": 5},
        {"jti": "x" * 101},
        {"nbf": IAT + 1800},
        {"iat": IAT + 1800},
        {"exp": IAT},
        {"exp": IAT - 5},
        {"exp": IAT + LONGEST_LIFE_S + 1},
        {"exp": "never"},
        {"exp": True},
        {"exp": 10**400},
        *({name: None} for name in CLAIMS if name != "subdomain"),
    ],
    ids=str,
)
def test_every_claim_counts(claims: dict[str, Any]) -> None:
    """Well signed, but one claim is another's, missing, or no such thing: refused."""
    with pytest.raises(TokenRefusedError):
        verify(made(**claims), INTEGRATION, IAT + 30)


def test_only_the_secret_in_force_signs() -> None:
    """A forged signature, or one by the secret before a rotation, is refused."""
    assert verify(made(), INTEGRATION, IAT).user == 456
    with pytest.raises(TokenRefusedError):
        verify(made("another-secret"), INTEGRATION, IAT)
    with pytest.raises(TokenRefusedError):
        verify(made(), replace(INTEGRATION, secret="rotated"), IAT)
    with pytest.raises(TokenRefusedError):
        verify(VECTOR[:-1], INTEGRATION, IAT)


@pytest.mark.parametrize("algorithm", ["none", "None", "HS512", "HS384", "RS256", "", 5])
def test_only_one_algorithm_signs(algorithm: object) -> None:
    """Unsigned, or signed with the right secret by another algorithm: refused."""
    hashes = {"HS512": hashlib.sha512, "HS384": hashlib.sha384}
    header = {"typ": "JWT", "alg": algorithm}
    token = signed(header, CLAIMS, SECRET, hashes.get(str(algorithm), hashlib.sha256))
    for text in (token, token.rpartition(".")[0] + "."):
        with pytest.raises(TokenRefusedError):
            verify(text, INTEGRATION, IAT)


@given(st.one_of(st.text(max_size=60), st.binary(max_size=60).map(lambda b: b.decode("latin-1"))))
def test_garbage_is_refused(token: str) -> None:
    """Whatever comes in place of a token: a refusal, and no other fault."""
    for text in (token, f"{token}.{token}.{token}", VECTOR.replace(".", token + ".", 1)):
        if text != VECTOR:
            with pytest.raises(TokenRefusedError):
                verify(text, INTEGRATION, IAT)


def test_a_huge_token_is_not_even_read() -> None:
    """Sizes are bounded, and deep JSON ends nothing."""
    for token in (made(more="x" * 5000), "W" * 100_000):
        with pytest.raises(TokenRefusedError):
            verify(token, INTEGRATION, IAT)


def test_an_account_that_is_not_known_yet_is_told_apart() -> None:
    """Before amoCRM has told the account's number nothing is believed, but it may be tried again.

    What is wrong in any case is refused in any case.
    """
    unknown = replace(INTEGRATION, account_id=None)
    with pytest.raises(AccountUnknownError):
        verify(VECTOR, unknown, IAT)
    with pytest.raises(TokenRefusedError):
        verify(made(iss="https://other.amocrm.ru"), unknown, IAT)


def test_the_secret_does_not_print() -> None:
    """Nobody finds it in a log."""
    assert SECRET not in repr(INTEGRATION)
