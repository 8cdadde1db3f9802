"""Draws the pictures of the widget's archive with a real Chromium: ``python -m tests.widget.draw``.

Their sources are the two pages below; amoCRM wants PNG in exact sizes.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from playwright.sync_api import Page

from tests.demo.browser import INSTALL, a_browser, find_chromium

IMAGES: Final = Path(__file__).parents[2] / "relay" / "widget" / "front" / "images"

LOGOS: Final = {
    "logo_main.png": (400, 272),
    "logo_small.png": (108, 108),
    "logo.png": (130, 100),
    "logo_medium.png": (240, 84),
    "logo_min.png": (84, 84),
}

_MARK: Final = """
<svg viewBox="0 0 100 100" style="height:{size}px">
  <defs><linearGradient id="g" x1="0" y1="0" x2="1" y2="1">
    <stop offset="0" stop-color="#2bb673"/><stop offset="1" stop-color="#0f766e"/>
    </linearGradient></defs>
  <path fill="url(#g)" d="M50 8a40 40 0 0 0-34.4 60.4L10 90l22.200-5.600A40 40 0 1 0 50 8z"/>
  <g fill="none" stroke="#fff" stroke-width="7" stroke-linecap="round" stroke-linejoin="round">
    <path d="M30 40h36M56 29l11 11-11 11"/><path d="M70 60H34M44 49L33 60l11 11"/></g>
</svg>"""

_LOGO: Final = """
<body style="margin:0;width:{width}px;height:{height}px;display:flex;gap:{gap}px;background:#fff;
  align-items:center;justify-content:center;color:#12332b;
  font:700 {font}px 'DejaVu Sans',sans-serif">
{mark}{name}</body>"""

_ROW: Final = """
<div style="display:flex;align-items:center;gap:26px;padding:19px 0;
  border-bottom:2px solid #eef0f3">
  <span style="color:#92989b;width:150px">{label}</span><span style="flex:1">{number}</span>
  <svg viewBox="0 0 16 16" style="width:46px;color:{colour}">
    <path fill="currentColor" d="M8 1a7 7 0 0 0-6 10.6L1.2 15l3.5-.8A7 7 0 1 0 8 1z"/>
    <path d="{glyph}" fill="none" stroke="#fff" stroke-width="1.5" stroke-linecap="round"/></svg>
  <span style="width:330px;color:{colour};font-size:23px">{said}</span>
</div>"""

_TOUR: Final = """
<body style="margin:0;width:1188px;height:616px;background:linear-gradient(135deg,#e2f4ed,#eef4fb);
  font:26px 'DejaVu Sans',sans-serif;color:#313942">
<div style="padding:46px 70px">
  <div style="display:flex;align-items:center;gap:22px;font-size:38px;font-weight:700;
    color:#12332b">
    {mark}{title}</div>
  <div style="margin-top:36px;background:#fff;border-radius:16px;padding:20px 44px;
    box-shadow:0 12px 40px #12332b22">{rows}</div>
</div></body>"""

_GLYPHS: Final = {
    "#1f9d55": "M5 8.3l2 2 4-4.4",
    "#d64545": "M5.8 5.8l4.4 4.4M10.2 5.8l-4.4 4.4",
    "#2b2f36": "M6.2 6.2a1.8 1.8 0 1 1 2.5 1.7c-.5.2-.7.5-.7 1V9.3M8 11.2v.1",
}
_TOURS: Final = {
    "tour_1_ru.png": (
        "WhatsApp у каждого номера", "Раб. тел.",
        ("Есть WhatsApp", "Нет WhatsApp", "Ещё не проверен"),
    ),
    "tour_1_en.png": (
        "WhatsApp beside every number", "Work",
        ("Has WhatsApp", "Has no WhatsApp", "Not checked yet"),
    ),
}  # fmt: skip
_NUMBERS: Final = ("+7 (900) 123-45-67", "+7 (495) 000-00-01", "+7 (900) 765-43-21")


def main() -> None:
    """Draw them all."""
    path = find_chromium()
    if path is None:
        raise SystemExit(f"no Chromium here; it is installed by: {INSTALL}")
    IMAGES.mkdir(exist_ok=True)
    with a_browser(path) as browser:
        page = browser.new_page()
        for name, size in LOGOS.items():
            _draw(page, name, size, _logo(*size))
        for name, (title, label, said) in _TOURS.items():
            _draw(page, name, (1188, 616), _tour(title, label, said))


def _draw(page: Page, name: str, size: tuple[int, int], html: str) -> None:
    page.set_viewport_size({"width": size[0], "height": size[1]})
    page.set_content(html)
    page.screenshot(path=IMAGES / name)


def _logo(width: int, height: int) -> str:
    named = width >= 2 * height or width >= 400
    mark = _MARK.format(size=round(height * (0.5 if width >= 400 else 0.78)))
    font = round(min(height * 0.26, width / 10.5))
    name = "<span>WhatsApp<br>Relay</span>" if named else ""
    return _LOGO.format(width=width, height=height, gap=font // 2, font=font, mark=mark, name=name)


def _tour(title: str, label: str, said: tuple[str, ...]) -> str:
    rows = "".join(
        _ROW.format(label=label, number=number, colour=colour, glyph=glyph, said=words)
        for number, words, (colour, glyph) in zip(_NUMBERS, said, _GLYPHS.items(), strict=True)
    )
    return _TOUR.format(mark=_MARK.format(size=72), title=title, rows=rows)


if __name__ == "__main__":
    main()
