"""What a file is, by its bytes, and what it should therefore be called. The sender is not asked.

libmagic knows a kind by the first bytes. Where they say little (a ZIP archive may be a letter of
an office suite, plain text a table), the ending of the name may say more, but never something that
a browser would run or that contradicts the bytes.
"""

from __future__ import annotations

import importlib
import mimetypes
import os
from functools import cache
from typing import TYPE_CHECKING, Final

from relay.domain.contents import MediaKind
from relay.domain.file_names import tidy_name
from relay.media.names import ending_of

if TYPE_CHECKING:
    import magic

HEAD: Final = 8 * 1024
"""So many of the first bytes are looked at."""

UNKNOWN: Final = "application/octet-stream"

_RUNS: Final = frozenset(
    {
        "application/ecmascript", "application/javascript", "application/mathml+xml",
        "application/rdf+xml", "application/rss+xml", "application/x-javascript",
        "application/x-shockwave-flash", "application/xhtml+xml", "application/xml",
        "application/xslt+xml", "image/svg+xml", "multipart/related", "message/rfc822",
        "text/cache-manifest", "text/css", "text/ecmascript", "text/html", "text/javascript",
        "text/xml", "text/xsl",
    }
)  # fmt: skip
"""Kinds of which a browser may run a part: such a file is given out as unknown bytes."""

_VAGUE: Final = {
    UNKNOWN: ("application/", "audio/", "video/", "image/", "text/"),
    "application/zip": ("application/",),
    "application/x-ole-storage": ("application/",),
    "application/CDFV2": ("application/",),
    "application/gzip": ("application/",),
    "text/plain": ("text/", "application/json", "application/x-"),
    "video/mp4": ("audio/mp4", "video/quicktime", "video/3gpp"),
    "audio/ogg": ("audio/", "video/ogg"),
    "video/x-ms-asf": ("audio/", "video/"),
    "application/json": ("text/", "application/"),
}
"""Kinds that the bytes leave open, and the beginnings of those that the ending may name instead."""

_ENDINGS: Final = {
    "audio/aac": ".aac",
    "audio/amr": ".amr",
    "audio/mp4": ".m4a",
    "audio/mpeg": ".mp3",
    "audio/ogg": ".ogg",
    "audio/x-wav": ".wav",
    "image/gif": ".gif",
    "image/heic": ".heic",
    "image/jpeg": ".jpg",
    "image/png": ".png",
    "image/webp": ".webp",
    "text/plain": ".txt",
    "video/3gpp": ".3gp",
    "video/mp4": ".mp4",
    "video/quicktime": ".mov",
    "video/webm": ".webm",
}
"""Endings that people expect, where Python's own table says nothing or something odd."""

_BY_ENDING: Final = {ending: mime for mime, ending in reversed(_ENDINGS.items())}

_SAME: Final = {
    "audio/x-m4a": "audio/mp4",
    "audio/mp4a-latm": "audio/mp4",
    "audio/3gpp": "video/3gpp",
    "audio/x-aac": "audio/aac",
    "audio/x-hx-aac-adts": "audio/aac",
    "audio/wav": "audio/x-wav",
    "application/ogg": "audio/ogg",
    "audio/opus": "audio/ogg",
    "image/jpg": "image/jpeg",
    "image/x-ms-bmp": "image/bmp",
    "application/x-zip-compressed": "application/zip",
    "application/x-pdf": "application/pdf",
}
"""Other names for the same kinds."""

_OWN_TYPES: Final = {
    ".7z": "application/x-7z-compressed",
    ".apk": "application/vnd.android.package-archive",
    ".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ".dwg": "image/vnd.dwg",
    ".jpe": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".log": "text/plain",
    ".odp": "application/vnd.oasis.opendocument.presentation",
    ".ods": "application/vnd.oasis.opendocument.spreadsheet",
    ".odt": "application/vnd.oasis.opendocument.text",
    ".oga": "audio/ogg",
    ".opus": "audio/ogg",
    ".pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    ".rar": "application/vnd.rar",
    ".vcf": "text/vcard",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}

_NAMELESS: Final = {
    MediaKind.IMAGE: "image",
    MediaKind.VIDEO: "video",
    MediaKind.VOICE: "voice",
    MediaKind.AUDIO: "audio",
    MediaKind.DOCUMENT: "file",
    MediaKind.STICKER: "sticker",
}
"""What a file is called that came without a name."""

_JPEG: Final = (b"\xff\xd8\xff\xe0", b"\xff\xd8\xff\xe1", b"\xff\xd8\xff\xdb")  # how one begins
_TABLE: Final = mimetypes.MimeTypes(filenames=())  # Python's own, not that of some machine
_NEUTRAL: Final = ".bin"
_SEARCH_PATHS: Final = ("LIBRARY_PATH", "LD_LIBRARY_PATH")


def identify(head: bytes, name: str, what: MediaKind) -> tuple[str, str]:
    """The name and the MIME type of a file that begins so and is called so by its sender.

    The type is always the one that goes with the name's ending. On any thread.
    """
    tidy = tidy_name(name) or _NAMELESS[what]
    told = kind_by_ending(ending_of(tidy))
    found = _found(head, told)
    if found == told:
        return tidy, told
    ending = _ENDINGS.get(found) or _TABLE.guess_extension(found) or ""
    if kind_by_ending(ending) == found and found != UNKNOWN:
        return tidy + ending, found
    # Nothing that has an ending of its own: the name must not promise something else.
    return (tidy if told == UNKNOWN else tidy + _NEUTRAL), UNKNOWN


def kind_by_ending(ending: str) -> str:
    """The MIME type that goes with an ending; unknown bytes if there is none, or if it runs."""
    kind = _OWN_TYPES.get(ending) or _BY_ENDING.get(ending)
    if kind is None:
        kind = _plain(_TABLE.guess_type(f"x{ending}")[0] or UNKNOWN)
    return UNKNOWN if kind in _RUNS else kind


@cache
def library() -> magic.Magic:
    """libmagic, loaded at the first call."""
    before = {name: os.environ.get(name) for name in _SEARCH_PATHS}
    try:
        importlib.import_module("pylibmagic")  # brings the library itself to a bare machine
        looking: magic.Magic = importlib.import_module("magic").Magic(mime=True)
        return looking
    finally:  # what it prepends to search paths would go to every child process
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _found(head: bytes, told: str) -> str:
    """The type by the bytes, or the one that was told where they leave it open."""
    if head.startswith(_JPEG):  # most of what passes; the library would say the same
        return "image/jpeg"
    found = _plain(library().from_buffer(head[:HEAD]))
    open_to = ("text/",) if found in _RUNS else _VAGUE.get(found, ())
    if told != UNKNOWN and told.startswith(open_to):
        return told
    return UNKNOWN if found in _RUNS else found


def _plain(mime: str) -> str:
    bare = mime.partition(";")[0].strip().lower()
    return _SAME.get(bare, bare) or UNKNOWN
