"""The page's files: those that somebody chooses come in, those on the phones are given out."""

from __future__ import annotations

from typing import Final

from aiohttp import web

from relay.demo.giving import UNKNOWN, give
from relay.demo.pretended_whatsapp.world import UnfitError
from relay.demo.show import Show
from relay.demo.uploads import LARGEST

_UPLOADED: Final = "application/octet-stream"
_LONGEST_NAME: Final = 255
_OURS: Final = {"Cross-Origin-Resource-Policy": "same-origin"}  # no other page may show it


def file_routes(show: Show) -> list[web.RouteDef]:
    """``POST /files?name=…`` keeps one for an action to send; ``GET /files/{bubble}`` gives.

    With ``voice=phone`` or ``voice=crm`` it was recorded there just now. ``GET /pictures/{person}``
    gives what a client shows of himself.
    """

    async def take(request: web.Request) -> web.Response:
        if request.content_type != _UPLOADED:  # which a foreign form cannot send
            return web.json_response({"error": f"expected {_UPLOADED}"}, status=415)
        data = await _read(request)
        if data is None:
            error = f"a file has at most {LARGEST // 1_000_000} MB"
            return web.json_response({"error": error}, status=413)
        if not data:
            return web.json_response({"error": "the file is empty"}, status=409)
        voice = request.query.get("voice")
        try:
            if voice is None:
                name = request.query.get("name", "")[:_LONGEST_NAME]
                return web.json_response({"file": await show.uploads.put(data, name)})
            return web.json_response({"file": await show.uploads.put_voice(data, voice)})
        except UnfitError as error:
            return web.json_response({"error": str(error)}, status=409)

    async def give_out(request: web.Request) -> web.Response:
        bubble = show.world.bubble(request.match_info["bubble"])
        if bubble is None or bubble.file is None:
            return web.Response(status=404, text="no such file\n")
        file = bubble.file
        given = give(
            file.data,
            file.mime or UNKNOWN,
            file.name or file.what,
            request.headers.get("Range", ""),
        )
        headers = {**given.headers, **_OURS, "Content-Type": given.content_type}
        return web.Response(status=given.status, body=given.body, headers=headers)

    async def show_picture(request: web.Request) -> web.Response:
        person = show.world.people.get(request.match_info["person"])
        if person is None or person.picture is None:
            return web.Response(status=404, text="no such picture\n")
        return web.Response(body=person.picture, content_type="image/png", headers=_OURS)

    return [
        web.post("/files", take),
        web.get("/files/{bubble}", give_out),
        web.get("/pictures/{person}", show_picture),
    ]


async def _read(request: web.Request) -> bytes | None:
    """The body; None as soon as it is too large."""
    if (request.content_length or 0) > LARGEST:
        return None
    data = bytearray()
    async for piece in request.content.iter_any():
        data += piece
        if len(data) > LARGEST:
            return None
    return bytes(data)
