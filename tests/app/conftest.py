"""The nursery of all process tests, and a site for each."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

from tests.app.nursery import Nursery
from tests.app.site import Site, site


@pytest.fixture(scope="session")
def nursery() -> Iterator[Nursery]:
    """One process that forks relays."""
    with Nursery() as opened:
        yield opened


@pytest.fixture
async def here(nursery: Nursery) -> AsyncIterator[Site]:
    """A site whose relay has not been started."""
    async with site(nursery) as built:
        yield built
