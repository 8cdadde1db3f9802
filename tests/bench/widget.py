"""The widget in a real Chromium, the real relay behind it: ``python -m tests.bench.widget``.

The settings page with a thousand users and a hundred thousand listed numbers beside one with ten
of each, and the buttons of a card with twenty numbers.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

from playwright.async_api import Browser, Page, async_playwright

from relay.demo.pretended_amocrm import Contact, Phone
from relay.widget.archive import build_archive
from tests.app.nursery import Nursery
from tests.app.site import site
from tests.app.test_widget import widget_section
from tests.bench.report import Figure, keep_section, table
from tests.demo.browser import ARGUMENTS, INSTALL, find_chromium

FEW: Final = (10, 10)
MANY: Final = (1_000, 100_000)
ROUNDS: Final = 7
NUMBERS: Final = 20
_PATIENCE_MS: Final = 120_000

_OPEN = """async () => {
    const shown = (found) => new Promise((resolve) => {
        const look = () => found() ? resolve() : requestAnimationFrame(look);
        look();
    });
    location.hash = '#/';
    await shown(() => !document.querySelector('.relay-wa-page'));
    const begun = performance.now();
    location.hash = '#/settings';
    await shown(() => document.querySelector('.relay-wa-user'));
    return performance.now() - begun;
}"""

_SEARCH = """async (digits) => {
    const list = [...document.querySelectorAll('.relay-wa-section')].at(-2);
    const field = list.querySelector('input[type=search]');
    const answers = () => performance.getEntriesByType('resource')
        .filter((entry) => entry.name.includes('/widget/blacklist')).length;
    const before = answers();
    field.value = digits;
    const begun = performance.now();
    field.dispatchEvent(new Event('input'));
    await new Promise((resolve) => {
        const look = () => answers() > before ? requestAnimationFrame(resolve)
            : requestAnimationFrame(look);
        look();
    });
    return performance.now() - begun;
}"""

_BUTTONS = """async () => {
    performance.clearResourceTimings();
    location.hash = '#/settings';
    await new Promise((resolve) => setTimeout(resolve, 300));
    location.hash = '#/contacts/1';
    const known = () => document.querySelectorAll(
        '.card-fields .relay-wa[data-state=registered]').length >= 1;
    await new Promise((resolve) => {
        const look = () => known() ? resolve() : requestAnimationFrame(look);
        look();
    });
    const shown = performance.now();
    const calls = performance.getEntriesByType('resource')
        .filter((entry) => entry.name.includes('/widget/phones'));
    return [shown - calls.at(-1).responseEnd, calls.length];
}"""


async def main() -> list[Figure]:
    """All figures."""
    path = find_chromium()
    if path is None:
        raise SystemExit(f"no Chromium here; it is installed by: {INSTALL}")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=list(ARGUMENTS))
        few_open, few_search = await _settings(browser, FEW)
        many_open, many_search = await _settings(browser, MANY)
        after_ms, requests = await _card(browser)
        await browser.close()
    typing = "search in the blacklist, from the last key pressed"
    buttons = f"buttons of {NUMBERS} numbers, after the answer"
    met = after_ms <= 100 and requests == 1
    return [
        _compared("settings page, to its first users shown", few_open, many_open),
        _compared(typing, few_search, many_search),
        Figure(buttons, "", f"{after_ms:.0f} ms", f"{requests} request", "≤ 100 ms, 1", met),
    ]


def _compared(name: str, few: float, many: float) -> Figure:
    return Figure(
        name, f"{few:.0f} ms (10)", f"{many:.0f} ms", f"{many / few:.2f}×", "< 200 ms", many < 200
    )


async def _settings(browser: Browser, size: tuple[int, int]) -> tuple[float, float]:
    """Median milliseconds to open the page, and to search its list."""
    users, numbers = size
    blacklist = [f"+79{number:09}" for number in range(numbers)]
    people = {1000 + n: {"name": f"Сотрудник {n}", "channels": ["sales"]} for n in range(users)}
    async with _crm(browser, settings={"blacklist": blacklist}, users=people) as page:
        await page.evaluate("location.hash = '#/settings'")
        await page.locator(".relay-wa-user").first.wait_for(timeout=_PATIENCE_MS)
        opened = [await page.evaluate(_OPEN) for _ in range(ROUNDS)]
        searched = [await page.evaluate(_SEARCH, f"79{n}") for n in range(1, ROUNDS)]
    return statistics.median(opened), statistics.median(searched)


async def _card(browser: Browser) -> tuple[float, int]:
    """Median milliseconds from the answer to the buttons, and the most requests of a card."""
    async with _crm(browser) as page:
        taken = [await page.evaluate(_BUTTONS) for _ in range(ROUNDS)]
    return statistics.median(one[0] for one in taken), max(one[1] for one in taken)


@asynccontextmanager
async def _crm(browser: Browser, **sections: Any) -> AsyncIterator[Page]:
    """amoCRM's page with the widget, a running relay of such a file behind it."""
    with Nursery() as nursery:
        async with site(nursery) as here:
            here.save(amocrm=widget_section(here), **sections)
            relay = await here.start_connected()
            await here.whatsapp.write("78005553535", "A1", "Привет")
            await here.until_in_amocrm(1)
            phones = [Phone(f"+7900{number:07}") for number in range(NUMBERS - 1)]
            phones.append(Phone("+78005553535"))
            here.amocrm.account.contacts[1] = Contact(1, "Анна", phones)
            here.amocrm.ui.token_audience = "https://relay.example.com"
            here.amocrm.ui.upload_widget(build_archive(relay.hooks_url, "1.0.0"))
            page = await browser.new_page()
            page.set_default_timeout(_PATIENCE_MS)
            await page.goto(f"{here.amocrm.url}/ui/?unfolded#/")
            await page.locator("body[data-ready=true]").wait_for(state="attached")
            yield page
            await page.close()


def keep(figures: Sequence[Figure]) -> None:
    """Write the section of the file."""
    keep_section(
        "The widget",
        "Written by `python -m tests.bench.widget`: Debian's Chromium, headless, a relay and\n"
        "amoCRM's page of our own on the same machine; medians.\n\n" + table(figures) + "\n",
    )


if __name__ == "__main__":
    found = asyncio.run(main())
    print(table(found))
    if "--dry" not in sys.argv:
        keep(found)
