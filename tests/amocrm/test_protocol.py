"""Signing, verifying and building requests, against the documented and computed vectors."""

from __future__ import annotations

import locale

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.amocrm import protocol
from tests.amocrm.doubles import ACCOUNT, CHANNEL, CRM_MESSAGE, DATE, DATE_MS, SCOPE, SECRET

BASE = "/v2/origin/custom"

B1 = (
    b'{"account_id":"aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee","title":"WA relay",'
    b'"hook_api_version":"v2","is_time_window_disabled":true}'
)
B2 = (
    '{"event_type":"new_message","payload":{"timestamp":1770113730,"msec_timestamp":1770113730123,'
    '"msgid":"wa-3EB0C0FFEE","conversation_id":"wa-79991234567","silent":false,'
    '"sender":{"id":"wa-79991234567","name":"Иван","profile":{"phone":"+79991234567"}},'
    '"message":{"type":"text","text":"Привет"}}}'
).encode()
SOURCED = B2.replace(b'"silent"', b'"source":{"external_id":"wa-74950000001"},"silent"')
"""B2 as the relay sends it: every message names the source of our number."""
B4 = b'{"account_id":"aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee"}'
B5 = b'{"status_code":1}'

VECTORS = [
    pytest.param(
        "POST", f"{BASE}/{CHANNEL}/connect", B1,
        "0f5675e67317e7601c4d2b2afa4504fb", "799f581ce41be951ebca20165c483827f25898fc",
        id="1-connect",
    ),
    pytest.param(
        "POST", f"{BASE}/{SCOPE}", B2,
        "92a527b9a11f9b8c33eb0e0dcbd59b12", "acfba70484b58c9823c1a203686e7dbac8f51816",
        id="2-message",
    ),
    pytest.param(
        "GET", f"{BASE}/{SCOPE}/chats/99999999-8888-4777-8666-555555555555/history", b"",
        "d41d8cd98f00b204e9800998ecf8427e", "8fcfc7130d4eed0fda3ce0423fb3c7d3c6ae7bde",
        id="3-history",
    ),
    pytest.param(
        "DELETE", f"{BASE}/{CHANNEL}/disconnect", B4,
        "4d7c476e23eddb5836f564a81be350be", "c7e2ddd4aee059b8e1e320985d0fad0d63c192ba",
        id="4-disconnect",
    ),
    pytest.param(
        "POST", f"{BASE}/{SCOPE}/{CRM_MESSAGE}/delivery_status", B5,
        "a21a7287a475cbceca3461af9a698d30", "11d4fac58cf05c52460cac9089fffa47ae47fe94",
        id="5-status",
    ),
]  # fmt: skip

HOOK = (
    b'{"account_id":"aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee","time":1770113731,'
    b'"message":{"message":{"id":"m-1","type":"text","text":"ok"}}}'
)
HOOK_SIGNATURE = "2ab2fdff69619740abe9b788ac0650522289cddb"


@pytest.mark.parametrize(("method", "path", "body", "md5", "signature"), VECTORS)
def test_computed_vectors(method: str, path: str, body: bytes, md5: str, signature: str) -> None:
    """Every computed vector of the reference gives its MD5 and its signature."""
    assert protocol.sign(method, path, body, SECRET, DATE) == {
        "Date": DATE,
        "Content-Type": "application/json",
        "Content-MD5": md5,
        "X-Signature": signature,
    }


def test_official_vector() -> None:
    """The example of amoCRM's own documentation is reproduced."""
    headers = protocol.sign(
        "POST",
        f"{BASE}/344a5002-f8ca-454d-af3d-396180102ac7/connect",
        b'{"account_id":"52e591f7-c98f-4255-8495-827210138c81","title":"ChatsIntegration",'
        b'"hook_api_version":"v2"}',
        "f2d7f8704eff95087ed45b23ba99c0b5aac8278e",
        "Wed, 15 Dec 2021 23:12:55 +0000",
    )
    assert headers["Content-MD5"] == "2fbcb3c652b61e24e004daddfc73d0ce"
    assert headers["X-Signature"] == "81211856ce0c5095f3e1a90c0a38dc9d736cfd55"


def test_query_is_not_signed() -> None:
    """A signature over a path with its query is another one, the documented wrong one."""
    path = f"{BASE}/{SCOPE}/chats/99999999-8888-4777-8666-555555555555/history?offset=0&limit=50"
    wrong = protocol.sign("GET", path, b"", SECRET, DATE)
    assert wrong["X-Signature"] == "92ae4aab19b7e1f6bdc5186ae2cee33da59d34c8"


def test_method_is_signed_in_upper_case() -> None:
    """However the method is written, it is signed in upper case."""
    assert protocol.sign("post", "/p", b"", SECRET, DATE) == protocol.sign(
        "POST", "/p", b"", SECRET, DATE
    )


def test_date_is_rfc_2822_in_english() -> None:
    """The date header has the documented form, in English whatever the locale."""
    assert protocol.date_header(DATE_MS + 999) == DATE
    before = locale.setlocale(locale.LC_TIME)
    try:
        locale.setlocale(locale.LC_TIME, "C.UTF-8")
        assert protocol.date_header(DATE_MS) == DATE
    finally:
        locale.setlocale(locale.LC_TIME, before)


def test_connect_asks_for_v2() -> None:
    """The connect request is vector 1: hooks of version 2, no time window."""
    assert protocol.connect(CHANNEL, ACCOUNT, "WA relay") == protocol.Request(
        protocol.Call.CONNECT, "POST", f"{BASE}/{CHANNEL}/connect", B1
    )


def test_delivered_is_vector_5() -> None:
    """The delivery status of a delivered message is vector 5, path and body."""
    assert protocol.delivery_status(SCOPE, CRM_MESSAGE, 1) == protocol.Request(
        protocol.Call.STATUS, "POST", f"{BASE}/{SCOPE}/{CRM_MESSAGE}/delivery_status", B5
    )


def test_failure_carries_code_and_text() -> None:
    """A failed message tells its code and its reason, with a Latin ``error_code``."""
    request = protocol.delivery_status(SCOPE, CRM_MESSAGE, -1, 904, "Нет в WhatsApp")
    assert request.body == '{"status_code":-1,"error_code":904,"error":"Нет в WhatsApp"}'.encode()


def test_other_form_of_status_is_one_constant_away() -> None:
    """With the other documented field name the message's id stands in the body too."""
    request = protocol.delivery_status(SCOPE, "m-1", 2, field="delivery_status")
    assert request.body == b'{"msgid":"m-1","delivery_status":2}'


def test_message_id_cannot_leave_its_place_in_the_path() -> None:
    """Whatever amoCRM's id of a message holds, the path keeps its shape."""
    request = protocol.delivery_status(SCOPE, "../a b?c#d/\ud800", 1)
    assert request.path == f"{BASE}/{SCOPE}/..%2Fa%20b%3Fc%23d%2F%3F/delivery_status"


def test_body_is_compact_utf8() -> None:
    """Bodies have no spaces and no escaped letters, and half a character does not break them."""
    assert protocol.compact({"а": [1, "Я"], "b": "x\ud800"}) == '{"а":[1,"Я"],"b":"x?"}'.encode()


def test_scope_is_channel_and_account() -> None:
    """A scope id is the two ids joined by an underscore."""
    assert protocol.scope_of(CHANNEL, ACCOUNT) == SCOPE


def test_hook_vector() -> None:
    """The hook of the reference verifies, with the newline that was not signed and without."""
    assert protocol.sign_hook(HOOK, SECRET) == HOOK_SIGNATURE
    assert protocol.verify_hook(HOOK, HOOK_SIGNATURE, SECRET)
    assert protocol.verify_hook(HOOK + b"\n", HOOK_SIGNATURE, SECRET)
    assert protocol.verify_hook(HOOK + b"\r\n", HOOK_SIGNATURE, SECRET)
    signed_with_newline = "ece7cab00b2ed45bd73695f969790b7fa57a080c"
    assert protocol.verify_hook(HOOK + b"\n", signed_with_newline, SECRET)
    assert not protocol.verify_hook(HOOK, signed_with_newline, SECRET)


@given(body=st.binary(), tail=st.sampled_from([b"", b"\n", b"\r\n", b"\r", b"\n\n"]))
def test_what_was_signed_verifies(body: bytes, tail: bytes) -> None:
    """A signed hook verifies, whatever line end the wire adds to a body that has none."""
    bare = body.rstrip(b"\r\n")
    assert protocol.verify_hook(bare + tail, protocol.sign_hook(bare, SECRET), SECRET)
    assert protocol.verify_hook(body, protocol.sign_hook(body, SECRET), SECRET)


@given(body=st.binary(), other=st.binary(), tail=st.sampled_from([b" ", b"x", b"\t", b"\0"]))
def test_what_was_not_signed_does_not(body: bytes, other: bytes, tail: bytes) -> None:
    """Another body, another secret, or one byte more that is no line end: not verified."""
    signature = protocol.sign_hook(body, SECRET)
    if other.rstrip(b"\r\n") != body.rstrip(b"\r\n"):
        assert not protocol.verify_hook(other, signature, SECRET)
    assert not protocol.verify_hook(body + tail, signature, SECRET)
    assert not protocol.verify_hook(body, signature, SECRET + "0")


@given(st.text())
def test_any_signature_header_is_compared(signature: str) -> None:
    """No content of the signature header is an error; it is just not the signature."""
    assert not protocol.verify_hook(HOOK, signature, SECRET)


def test_signature_with_raw_bytes() -> None:
    """A header with bytes that are no text, as the server hands them on, is just wrong."""
    assert not protocol.verify_hook(HOOK, "\udcff\udc80", SECRET)
