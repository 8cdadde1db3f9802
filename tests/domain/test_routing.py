"""Which channel a message goes through: every combination there is, one by one."""

from __future__ import annotations

import itertools

import pytest

from relay.domain.ids import ChannelId
from relay.domain.routing import Crossing, Manager, Other, route

SALES, SUPPORT, GONE = ChannelId("sales"), ChannelId("support"), ChannelId("gone")

# chat's own, chosen source, default → for managers bound to (sales), (support, sales), (); a robot
TABLE = [
    # a chat with a channel: the source and the default say nothing
    (SALES, None, None, (SALES, SALES, None, SALES)),
    (SALES, None, SUPPORT, (SALES, SALES, None, SALES)),
    (SALES, SUPPORT, None, (SALES, SALES, None, SALES)),
    (SALES, SUPPORT, SUPPORT, (SALES, SALES, None, SALES)),
    (SUPPORT, None, None, (SALES, SUPPORT, None, SUPPORT)),
    (SUPPORT, None, SALES, (SALES, SUPPORT, None, SUPPORT)),
    (SUPPORT, SALES, None, (SALES, SUPPORT, None, SUPPORT)),
    (SUPPORT, SALES, SALES, (SALES, SUPPORT, None, SUPPORT)),
    # write first with a chosen source
    (None, SALES, None, (SALES, SALES, None, SALES)),
    (None, SALES, SUPPORT, (SALES, SALES, None, SALES)),
    (None, SUPPORT, None, (SALES, SUPPORT, None, SUPPORT)),
    (None, SUPPORT, SALES, (SALES, SUPPORT, None, SUPPORT)),
    # write first without one; a chat whose channel left the file
    (None, None, SALES, (SALES, SUPPORT, None, SALES)),
    (None, None, SUPPORT, (SALES, SUPPORT, None, SUPPORT)),
    (None, None, None, (SALES, SUPPORT, None, None)),
]
WRITERS = (Manager((SALES,)), Manager((SUPPORT, SALES)), Manager(()), Other.ROBOT)


@pytest.mark.parametrize(("own", "chosen", "default", "expected"), TABLE)
def test_each_writer_goes_where_the_table_says(
    own: ChannelId | None,
    chosen: ChannelId | None,
    default: ChannelId | None,
    expected: tuple[ChannelId | None, ...],
) -> None:
    """The chat's own channel for who is bound to it, else his first; a robot follows the chat."""
    crossing = Crossing(own, chosen, default)
    assert tuple(route(writer, crossing) for writer in WRITERS) == expected
    assert route(Other.OUTSIDER, crossing) is None


def test_a_manager_never_leaves_his_channels_and_is_never_silenced_by_a_crossing() -> None:
    """Whatever the chat, source and default: one of his own, and always one if he has any."""
    everywhere = (None, SALES, SUPPORT, GONE)
    lists = [(), (SALES,), (SUPPORT,), (SALES, SUPPORT), (SUPPORT, SALES)]
    for own, chosen, default in itertools.product(everywhere, repeat=3):
        for channels in lists:
            found = route(Manager(channels), Crossing(own, chosen, default))
            assert found in channels if channels else found is None
