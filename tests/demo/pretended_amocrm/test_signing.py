"""Laws of the signatures: the published vectors, and what is refused."""

from __future__ import annotations

import base64
import hashlib
from email.utils import formatdate

import pytest

from relay.demo.pretended_amocrm import Identity, PretendedAmoCRM
from relay.demo.pretended_amocrm.refusal import Refusal
from relay.demo.pretended_amocrm.signing import RequestSignature, hook_signature_of, md5_of
from tests.demo.pretended_amocrm.peers import DATE, NOW_MS, Client, Clock, new_message, talking

SECRET = "0123456789abcdef0123456789abcdef01234567"
C = "11111111-2222-4333-8444-555555555555"
A = "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee"
HISTORY = f"/v2/origin/custom/{C}_{A}/chats/99999999-8888-4777-8666-555555555555/history"
B1 = (
    '{"account_id":"aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee","title":"WA relay",'
    '"hook_api_version":"v2","is_time_window_disabled":true}'
)
B2 = (
    '{"event_type":"new_message","payload":{"timestamp":1770113730,"msec_timestamp":1770113730123,'
    '"msgid":"wa-3EB0C0FFEE","conversation_id":"wa-79991234567","silent":false,'
    '"sender":{"id":"wa-79991234567","name":"Иван","profile":{"phone":"+79991234567"}},'
    '"message":{"type":"text","text":"Привет"}}}'
)
B4 = '{"account_id":"aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee"}'
B5 = '{"status_code":1}'

VECTORS = {
    "connect": (
        "POST", f"/v2/origin/custom/{C}/connect", B1,
        "0f5675e67317e7601c4d2b2afa4504fb", "799f581ce41be951ebca20165c483827f25898fc",
    ),
    "new message": (
        "POST", f"/v2/origin/custom/{C}_{A}", B2,
        "92a527b9a11f9b8c33eb0e0dcbd59b12", "acfba70484b58c9823c1a203686e7dbac8f51816",
    ),
    "history": (
        "GET", f"{HISTORY}?offset=0&limit=50", "",
        "d41d8cd98f00b204e9800998ecf8427e", "8fcfc7130d4eed0fda3ce0423fb3c7d3c6ae7bde",
    ),
    "disconnect": (
        "DELETE", f"/v2/origin/custom/{C}/disconnect", B4,
        "4d7c476e23eddb5836f564a81be350be", "c7e2ddd4aee059b8e1e320985d0fad0d63c192ba",
    ),
    "delivery status": (
        "POST", f"/v2/origin/custom/{C}_{A}/77777777-6666-4555-8444-333333333333/delivery_status",
        B5, "a21a7287a475cbceca3461af9a698d30", "11d4fac58cf05c52460cac9089fffa47ae47fe94",
    ),
}  # fmt: skip


def headers_of(md5: str, signature: str, date: str = DATE) -> dict[str, str]:
    return {
        "Date": date,
        "Content-Type": "application/json",
        "Content-MD5": md5,
        "X-Signature": signature,
    }


@pytest.mark.parametrize("name", VECTORS)
def test_a_computed_vector_is_accepted(name: str) -> None:
    """Each computed request of the reference carries a right signature."""
    method, target, body, md5, signature = VECTORS[name]
    headers = headers_of(md5, signature).items()
    RequestSignature(SECRET).check(method, target, headers, body.encode(), NOW_MS)


def test_the_official_vector_is_accepted() -> None:
    """The example of the vendor's own page carries a right signature."""
    body = (
        b'{"account_id":"52e591f7-c98f-4255-8495-827210138c81","title":"ChatsIntegration",'
        b'"hook_api_version":"v2"}'
    )
    headers = headers_of(
        "2fbcb3c652b61e24e004daddfc73d0ce",
        "81211856ce0c5095f3e1a90c0a38dc9d736cfd55",
        "Wed, 15 Dec 2021 23:12:55 +0000",
    )
    path = "/v2/origin/custom/344a5002-f8ca-454d-af3d-396180102ac7/connect"
    signature = RequestSignature("f2d7f8704eff95087ed45b23ba99c0b5aac8278e")
    signature.check("POST", path, headers.items(), body, 1_639_609_975_000)


def test_a_signature_over_the_query_is_refused() -> None:
    """The query takes no part in the signature."""
    _, target, _, md5, _ = VECTORS["history"]
    headers = headers_of(md5, "92ae4aab19b7e1f6bdc5186ae2cee33da59d34c8")
    with pytest.raises(Refusal, match="query was signed"):
        RequestSignature(SECRET).check("GET", target, headers.items(), b"", NOW_MS)


def test_the_hook_vector() -> None:
    """A hook's signature covers the body alone, a line end after it not included."""
    body = (
        b'{"account_id":"aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee","time":1770113731,'
        b'"message":{"message":{"id":"m-1","type":"text","text":"ok"}}}'
    )
    assert hook_signature_of(SECRET, body) == "2ab2fdff69619740abe9b788ac0650522289cddb"
    assert hook_signature_of(SECRET, body + b"\n") == "ece7cab00b2ed45bd73695f969790b7fa57a080c"


async def test_the_vectors_as_one_conversation(clock: Clock) -> None:
    """A client that replays the reference's requests byte by byte is served from end to end."""
    ids = iter(
        (
            "33333333-1111-4222-8333-444444444444",
            "99999999-8888-4777-8666-555555555555",
            "77777777-6666-4555-8444-333333333333",
        )
    )
    identity = Identity(channel_id=C, channel_secret=SECRET, amojo_id=A)
    async with (
        PretendedAmoCRM(identity, now_ms=clock, new_id=lambda: next(ids)) as server,
        talking(server) as client,
    ):
        answers = []
        for name in ("connect", "new message", "delivery status", "history", "disconnect"):
            method, target, body, md5, signature = VECTORS[name]
            sent = body.encode()
            answers.append(await client.send(method, target, sent, headers_of(md5, signature)))
        assert [answer.status for answer in answers] == [200] * 5
        assert server.violations == []
        assert [m.text for m in server.account.messages] == ["Привет"]
        assert server.account.messages[0].status == 1
        assert answers[3].json["messages"][0]["message"]["client_id"] == "wa-3EB0C0FFEE"
        assert server.account.connection is None


@pytest.mark.parametrize("name", ["Date", "Content-Type", "Content-MD5", "X-Signature"])
async def test_a_missing_header_is_refused(
    server: PretendedAmoCRM, client: Client, name: str
) -> None:
    """None of the four headers may be left out."""
    answer = await client.post(new_message(), spoil={name: None})
    assert answer.status == 403
    assert server.violations[-1].code == "HeaderMissing"
    assert server.account.messages == []


@pytest.mark.parametrize(
    "content_type", ["application/json; charset=utf-8", "application/JSON", "text/plain"]
)
async def test_another_content_type_is_refused(
    server: PretendedAmoCRM, client: Client, content_type: str
) -> None:
    """Content-Type is exactly ``application/json``."""
    answer = await client.post(new_message(), spoil={"Content-Type": content_type})
    assert (answer.status, server.violations[-1].code) == (400, "ContentType")


async def test_the_md5_of_another_body_is_refused(server: PretendedAmoCRM, client: Client) -> None:
    """Content-MD5 is that of the very bytes sent: a line end more is another body."""
    body = b'{"account_id":"x"}'
    answer = await client.post(body, spoil={"Content-MD5": md5_of(body + b"\n")})
    assert (answer.status, server.violations[-1].code) == (403, "ContentMd5")


async def test_md5_in_base64_is_refused(server: PretendedAmoCRM, client: Client) -> None:
    """Content-MD5 is hexadecimal, not the base64 of RFC 1864."""
    digest = hashlib.md5(b"{}", usedforsecurity=False).digest()
    spoil = {"Content-MD5": base64.b64encode(digest).decode()}
    answer = await client.post(b"{}", spoil=spoil)
    assert (answer.status, server.violations[-1].code) == (403, "ContentMd5")


async def test_a_wrong_signature_is_refused(server: PretendedAmoCRM, client: Client) -> None:
    """A signature made with another secret is answered 403."""
    answer = await client.post(new_message(), spoil={"X-Signature": "0" * 40})
    assert (answer.status, server.violations[-1].code) == (403, "Signature")
    assert server.account.messages == []


@pytest.mark.parametrize(
    ("off_ms", "code"),
    [
        (15 * 60_000, None),
        (15 * 60_000 + 1, "DateTooOld"),
        (-15 * 60_000, None),
        (-15 * 60_000 - 1, "DateTooNew"),
    ],
)
async def test_a_date_is_good_for_fifteen_minutes(
    server: PretendedAmoCRM, client: Client, clock: Clock, off_ms: int, code: str | None
) -> None:
    """A request whose Date is more than fifteen minutes away, either way, is refused."""
    clock.ms += off_ms
    answer = await client.message()
    assert answer.status == (403 if code else 200)
    assert [violation.code for violation in server.violations] == ([code] if code else [])


@pytest.mark.parametrize(
    "date", ["2026-02-03T10:15:30Z", "Tue, 03 Feb 2026", "Tue, 99 Foo 2026 10:15:30 +0000"]
)
async def test_a_date_of_another_form_is_refused(
    server: PretendedAmoCRM, client: Client, date: str
) -> None:
    """Date has the form of RFC 2822."""
    client.date = date
    answer = await client.message()
    assert (answer.status, server.violations[-1].code) == (403, "DateForm")


async def test_gmt_is_a_zone_too(server: PretendedAmoCRM, client: Client) -> None:
    """``GMT`` at the end of Date is as good as ``+0000``."""
    client.date = formatdate(NOW_MS / 1000, usegmt=True)
    assert client.date.endswith("GMT")
    assert (await client.message()).status == 200
    assert server.violations == []
