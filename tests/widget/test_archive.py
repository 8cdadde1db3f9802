"""The archive, held against every rule that amoCRM tells, by the pretended amoCRM."""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from relay.demo.pretended_amocrm import PretendedAmoCRM
from relay.demo.pretended_amocrm.refusal import Refusal
from relay.demo.pretended_amocrm.widget_upload import read_archive
from relay.widget.archive import archive_files, build_archive, version_at

BACKEND = "https://relay.example.com"
NOW = datetime(2026, 11, 27, 12, 30, tzinfo=UTC)
_LARGEST_SCRIPT = 30 * 1024

Files = dict[str, bytes]


def test_amocrm_takes_it() -> None:
    """Files at the root, texts in one structure, pictures in their sizes, a manifest that fits."""
    found = read_archive(build_archive(BACKEND, version_at(NOW)))
    assert {"manifest.json", "script.js", "i18n/ru.json", "i18n/en.json"} <= found.keys()


def test_equal_parts_make_equal_bytes() -> None:
    """Nothing in it depends on when or where it was built but the version."""
    assert build_archive(BACKEND, "1.2.3") == build_archive(BACKEND, "1.2.3")


def test_the_script_is_light() -> None:
    """At most 30 KB, the address of the relay built in, nothing loaded from elsewhere."""
    script = archive_files(BACKEND + "/", "1.0.0")["script.js"]
    assert len(script) <= _LARGEST_SCRIPT
    assert b'"https://relay.example.com"' in script
    assert b"<script" not in script


def test_it_is_there_where_it_is_needed() -> None:
    """On every kind of card, on a page of its own, and where amoCRM asks it of sources."""
    manifest = json.loads(archive_files(BACKEND, "1.0.0")["manifest.json"])
    cards = {"ccard-1", "lcard-1", "comcard-1", "cucard-1"}
    assert cards | {"settings", "advanced_settings", "lead_sources"} <= {*manifest["locations"]}


def test_the_pages_style_stays_on_the_page() -> None:
    """Every rule of the sheet that comes with it begins with a class of ours."""
    sheet = archive_files(BACKEND, "1.0.0")["page.css"].decode()
    rules = re.findall(r"([^{}]+)\{[^{}]*\}", re.sub(r"/\*.*?\*/", "", sheet, flags=re.S))
    selectors = [each.strip() for rule in rules for each in rule.split(",")]
    assert len(selectors) > 20
    assert [each for each in selectors if not each.startswith(".relay-wa-")] == []


def test_an_address_cannot_break_out() -> None:
    """Whatever the address holds stays inside its string."""
    script = archive_files('https://x"</script>', "1.0.0")["script.js"].decode()
    assert r'const BACKEND = "https://x\"\u003c/script>";' in script


@pytest.mark.parametrize("minutes", [1, 9_999, 10_000, 10_001, 100_000])
def test_a_later_version_is_greater(minutes: int) -> None:
    """amoCRM compares versions part by part, and takes only a greater one."""
    earlier, later = version_at(NOW), version_at(NOW + timedelta(minutes=minutes))
    assert _parts(earlier) < _parts(later)


async def test_the_same_version_is_not_taken_twice() -> None:
    """An upload must have a version that has grown."""
    async with PretendedAmoCRM() as crm:
        crm.ui.upload_widget(build_archive(BACKEND, "1.0.9"))
        with pytest.raises(Refusal, match="must grow"):
            crm.ui.upload_widget(build_archive(BACKEND, "1.0.9"))
        crm.ui.upload_widget(build_archive(BACKEND, "1.0.10"))


def _without(name: str) -> Callable[[Files], None]:
    return lambda files: files.__delitem__(name) if name in files else None


def _manifest(**changes: object) -> Callable[[Files], None]:
    def change(files: Files) -> None:
        manifest = json.loads(files["manifest.json"])
        for path, value in changes.items():
            place = manifest
            *way, last = path.split("__")
            for key in way:
                place = place[key]
            place[last] = value
        files["manifest.json"] = json.dumps(manifest).encode()

    return change


def _put(name: str, content: bytes) -> Callable[[Files], None]:
    return lambda files: files.__setitem__(name, content)


@pytest.mark.parametrize(
    ("break_it", "complaint"),
    [
        (_without("script.js"), "script.js is missing"),
        (_without("manifest.json"), "manifest.json is missing"),
        (_without("i18n/en.json"), "i18n/en.json is missing"),
        (_put("i18n/en.json", b'{"widget": {}}'), "other keys"),
        (_put("manifest.json", b"\xef\xbb\xbf{}"), "BOM"),
        (_put("manifest.json", b"{"), "not JSON"),
        (_put("script.js", b"alert(1)"), "AMD"),
        (_put("script.js", b"define([], function () { eval('1') })"), "eval"),
        (_put("images/logo.png", b"\x89PNG\r\n\x1a\n" + bytes(16)), "130x100"),
        (_put("images/extra.png", bytes(300 * 1024 + 1)), "300 KB"),
        (_without("images/tour_1_en.png"), "1188x616"),
        (_manifest(widget__version="1"), "three numbers"),
        (_manifest(widget__support={}), "support"),
        (_manifest(widget__interface_version=1), "interface_version"),
        (_manifest(locations=["ccard"]), "locations: ccard"),
        (_manifest(tour__is_tour=False), "is_tour"),
        (_manifest(advanced={}), "advanced.title"),
        (_manifest(settings__backend_url__type="link"), "unknown type"),
        (_manifest(settings__backend_url__name="settings.no"), "no text"),
    ],
)
def test_a_broken_archive_is_refused(break_it: Callable[[Files], None], complaint: str) -> None:
    """The check sees each rule broken: the archive passing it means something."""
    files = archive_files(BACKEND, "1.0.0")
    break_it(files)
    with pytest.raises(Refusal, match=complaint):
        read_archive(_zip(files))


def test_files_in_a_folder_are_refused() -> None:
    """A folder around everything is the usual mistake."""
    files = {f"widget/{name}": body for name, body in archive_files(BACKEND, "1.0.0").items()}
    with pytest.raises(Refusal, match="at the root"):
        read_archive(_zip(files))


def _zip(files: Files) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return out.getvalue()


def _parts(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))
