"""Managers' files, as the pretended amoCRM gives them out."""

from __future__ import annotations

import aiohttp

from relay.demo.pretended_amocrm import PretendedAmoCRM

HTML = b"<html><script>1</script>"


async def test_an_attached_file_does_not_run(bare: PretendedAmoCRM) -> None:
    """Whatever type it claims: a page is saved, a picture is shown, and nothing is guessed."""
    async with aiohttp.ClientSession() as session:
        for name, kind, how in (
            ("a.html", "text/html", "attachment"),
            ("a.svg", "image/svg+xml", "attachment"),
            ("a.png", "image/png", "inline"),
        ):
            link = bare.url + bare.attachments.attach(HTML, name, kind)
            async with session.get(link) as answer:
                assert await answer.read() == HTML
                assert answer.content_type == kind
                assert answer.headers["Content-Disposition"].startswith(how)
                assert answer.headers["X-Content-Type-Options"] == "nosniff"
                assert answer.headers["Content-Security-Policy"].startswith("sandbox;")
    assert bare.attachments.stored == 3 * len(HTML)


async def test_a_player_gets_a_part(bare: PretendedAmoCRM) -> None:
    """The part that it asks for, as it must to move about in a recording."""
    link = bare.url + bare.attachments.attach(b"0123456789", "a.ogg", "audio/ogg")
    async with (
        aiohttp.ClientSession() as session,
        session.get(link, headers={"Range": "bytes=3-5"}) as answer,
    ):
        assert (answer.status, await answer.read()) == (206, b"345")
        assert answer.headers["Content-Range"] == "bytes 3-5/10"
