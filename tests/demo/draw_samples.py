"""Makes the demonstration's samples, with Chromium and ffmpeg.

    python -m tests.demo.draw_samples

The pictures and the film are one drawing, below; the voice message is a tune, for a tune needs no
language. They are kept as files, so that nobody needs either program to see the demonstration.
"""

from __future__ import annotations

import base64
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Final

from playwright.sync_api import Page

from relay.demo.samples import FOLDER
from tests.demo.browser import INSTALL, a_browser, find_chromium

_ROOM: Final = """
<svg viewBox="0 0 800 600" width="{width}" height="{height}" preserveAspectRatio="xMidYMid slice">
  <defs>
    <linearGradient id="wall" x1="0" y1="0" x2="1" y2="1">
      <stop offset="0" stop-color="#f3ead9"/><stop offset="1" stop-color="#dfcfb4"/>
    </linearGradient>
    <linearGradient id="floor" x1="0" y1="0" x2="0" y2="1">
      <stop offset="0" stop-color="#b98d5f"/><stop offset="1" stop-color="#94693f"/>
    </linearGradient>
    <linearGradient id="sky" x1="0" y1="0" x2="0" y2="1">
      <stop offset="0" stop-color="#9fd0ee"/><stop offset="1" stop-color="#e8f3f4"/>
    </linearGradient>
    <linearGradient id="cloth" x1="0" y1="0" x2="1" y2="1">
      <stop offset="0" stop-color="{light}"/><stop offset="1" stop-color="{dark}"/>
    </linearGradient>
    <radialGradient id="glow" cx="0.5" cy="0.5" r="0.5">
      <stop offset="0" stop-color="#fff3c9" stop-opacity="0.9"/>
      <stop offset="1" stop-color="#fff3c9" stop-opacity="0"/></radialGradient>
  </defs>
  <g transform="translate(400 300) scale({zoom}) translate({pan} 0) translate(-400 -300)">
    <rect x="-200" y="-100" width="1200" height="560" fill="url(#wall)"/>
    <rect x="-200" y="440" width="1200" height="300" fill="url(#floor)"/>
    <rect x="-200" y="428" width="1200" height="14" fill="#fffaf0"/>
    <g><rect x="70" y="70" width="200" height="240" rx="6" fill="#fffaf0"/>
      <rect x="84" y="84" width="172" height="212" fill="url(#sky)"/>
      <path d="M84 250c40-40 70-20 100-44s50-10 72-26v116H84z" fill="#8fb88a"/>
      <path d="M170 84v212M84 186h172" stroke="#fffaf0" stroke-width="8"/></g>
    <ellipse cx="640" cy="150" rx="170" ry="150" fill="url(#glow)"/>
    <path d="M640 190v262" stroke="#4b3a2b" stroke-width="8"/>
    <path d="M590 190l24-84h52l24 84z" fill="#f7d58b"/>
    <ellipse cx="640" cy="456" rx="44" ry="10" fill="#4b3a2b"/>
    <g><path d="M150 452h70l-10 56h-50z" fill="#c9694a"/>
      <path d="M185 452c-6-60-60-70-66-120 40 10 62 50 66 90 2-56 20-96 58-116 2 54-42 90-50 146z"
        fill="#4f8a5b"/></g>
    <ellipse cx="420" cy="530" rx="250" ry="30" fill="#5c3d22" opacity="0.35"/>
    <g><path d="M300 520l-14 46M540 520l14 46" stroke="#4b2f1a" stroke-width="16"
        stroke-linecap="round"/>
      <path d="M296 250c0-60 50-80 124-80s124 20 124 80v180H296z" fill="url(#cloth)"/>
      <rect x="300" y="390" width="240" height="84" rx="26" fill="{light}"/>
      <rect x="244" y="330" width="72" height="192" rx="34" fill="url(#cloth)"/>
      <rect x="524" y="330" width="72" height="192" rx="34" fill="url(#cloth)"/>
      <path d="M310 470h220v40q0 16-16 16H326q-16 0-16-16z" fill="{dark}"/>
      <path d="M420 196v180M358 214v150M482 214v150" stroke="{dark}" stroke-width="4"
        opacity="0.45"/>
      <rect x="366" y="310" width="108" height="86" rx="18" fill="#f6efe2"
        transform="rotate(-8 420 352)"/>
    </g>
  </g>
</svg>"""

_PORTRAIT: Final = """
<svg viewBox="0 0 96 96" width="96" height="96">
  <rect width="96" height="96" fill="{sky}"/>
  <path d="M0 70q24-16 48-6t48-8v40H0z" fill="{hill}"/>
  <path d="M26 46q-4-30 22-30t22 30l4 26H22z" fill="{hair}"/>
  <path d="M14 96q2-26 34-26t34 26z" fill="{shirt}"/>
  <path d="M40 56h16v16q-8 8-16 0z" fill="{skin}"/>
  <ellipse cx="48" cy="44" rx="16" ry="19" fill="{skin}"/>
  <path d="M31 42q2-20 19-20t15 20q-6-12-16-12t-18 12z" fill="{hair}"/>
  <circle cx="42" cy="44" r="1.8" fill="#33251b"/><circle cx="54" cy="44" r="1.8" fill="#33251b"/>
  <path d="M42 53q6 5 12 0" fill="none" stroke="#8a4a3a" stroke-width="2" stroke-linecap="round"/>
</svg>"""

_ANNA: Final = {
    "sky": "#cfe6ee", "hill": "#9cc39a", "hair": "#6b3f24", "skin": "#f0c8a4", "shirt": "#b4532f"
}  # fmt: skip
_VERA: Final = {
    "sky": "#f6dfb8", "hill": "#d99a62", "hair": "#2b2523", "skin": "#e3b48c", "shirt": "#3f7358"
}  # fmt: skip

_STICKER: Final = """
<svg viewBox="0 0 256 256" width="256" height="256" xmlns="http://www.w3.org/2000/svg">
  <g stroke="#fff" stroke-width="12" stroke-linejoin="round">
    <path d="M128 24l92 46v104l-92 48-92-48V70z" fill="#d9a25f"/></g>
  <path d="M128 24l92 46-92 46-92-46z" fill="#efc285"/>
  <path d="M128 116v106l92-48V70z" fill="#c48c49"/>
  <path d="M82 47l92 46v34l-22 11V104L60 58z" fill="#7ec8a9"/>
  <circle cx="72" cy="132" r="9" fill="#3b2a1a"/><circle cx="104" cy="148" r="9" fill="#3b2a1a"/>
  <path d="M68 158q18 26 36 18" fill="none" stroke="#3b2a1a" stroke-width="7"
    stroke-linecap="round"/>
  <ellipse cx="58" cy="150" rx="10" ry="7" fill="#ef8f74"/>
  <ellipse cx="114" cy="176" rx="9" ry="7" fill="#ef8f74"/>
</svg>"""

_TO_WEBP: Final = """async (svg) => {
  const image = new Image();
  image.src = 'data:image/svg+xml;base64,' + btoa(svg);
  await image.decode();
  const canvas = Object.assign(document.createElement('canvas'), { width: 256, height: 256 });
  canvas.getContext('2d').drawImage(image, 0, 0);
  return canvas.toDataURL('image/webp', 0.9).split(',')[1];
}"""

_RED: Final = ("#e08a62", "#b4532f")
_GREEN: Final = ("#7fae92", "#3f7358")
_FRAMES: Final = 48
_NOTES: Final = (
    392.00,
    493.88,
    587.33,
    783.99,
    659.25,
    587.33,
)  # of a major chord, half a second each
_QUIET: Final = ("-hide_banner", "-loglevel", "error", "-y")
_TRACELESS: Final = ("-fflags", "+bitexact", "-flags:a", "+bitexact", "-map_metadata", "-1")


def _room(page: Page, size: tuple[int, int], cloth: tuple[str, str], place: float) -> bytes:
    width, height = size
    drawn = _ROOM.format(
        width=width, height=height, light=cloth[0], dark=cloth[1],
        zoom=1 + 0.5 * place, pan=-30 * place,
    )  # fmt: skip
    page.set_viewport_size({"width": width, "height": height})
    page.set_content(f'<body style="margin:0">{drawn}</body>')
    return page.screenshot()


def _portrait(page: Page, colours: dict[str, str]) -> bytes:
    page.set_viewport_size({"width": 96, "height": 96})
    drawn = _PORTRAIT.format(**colours)
    page.set_content(f'<body style="margin:0">{drawn}</body>')
    return page.screenshot()


def _ffmpeg(*arguments: str) -> None:
    program = shutil.which("ffmpeg")
    if program is None:
        raise SystemExit("no ffmpeg here: apt-get install ffmpeg")
    subprocess.run([program, *_QUIET, *arguments], check=True)  # noqa: S603


def _film(page: Page) -> None:
    with tempfile.TemporaryDirectory() as folder:
        for number in range(_FRAMES):
            frame = _room(page, (480, 360), _RED, number / _FRAMES)
            (Path(folder) / f"{number:03}.png").write_bytes(frame)
        _ffmpeg(
            "-framerate", "16", "-i", f"{folder}/%03d.png", "-c:v", "libx264", "-crf", "30",
            "-preset", "veryslow", "-pix_fmt", "yuv420p", "-movflags", "+faststart", *_TRACELESS,
            str(FOLDER / "video.mp4"),
        )  # fmt: skip


def _tune() -> None:
    """Each note sounds on while it fades; nothing is louder than a voice."""
    notes = "+".join(
        f"gte(t,{0.5 * at})*exp(-4*(t-{0.5 * at}))*(sin({6.2832 * note:.3f}*t)"
        f"+0.3*sin({2 * 6.2832 * note:.3f}*t))"
        for at, note in enumerate(_NOTES)
    )
    _ffmpeg(
        "-f", "lavfi", "-i", f"aevalsrc='0.25*({notes})':s=48000:d=3.5", "-ac", "1",
        "-c:a", "libopus", "-b:a", "24k", *_TRACELESS, str(FOLDER / "voice.ogg"),
    )  # fmt: skip


def draw() -> None:
    """Write every sample anew."""
    path = find_chromium()
    if path is None:
        raise SystemExit(f"no Chromium here; it is installed by: {INSTALL}")
    with a_browser(path) as browser:
        page = browser.new_page()
        (FOLDER / "question.png").write_bytes(_room(page, (800, 600), _RED, 0))
        (FOLDER / "answer.png").write_bytes(_room(page, (800, 600), _GREEN, 0))
        (FOLDER / "anna.png").write_bytes(_portrait(page, _ANNA))
        (FOLDER / "vera.png").write_bytes(_portrait(page, _VERA))
        webp = page.evaluate(_TO_WEBP, _STICKER)
        (FOLDER / "sticker.webp").write_bytes(base64.b64decode(webp))
        _film(page)
    _tune()


if __name__ == "__main__":
    draw()
