"""Watching the rules decide: the same rules, the same end, and nothing more."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from relay.domain.blacklist import Blacklist
from relay.domain.contents import Text
from relay.domain.incoming import IN_RULES, Ignored, Incoming, decide_incoming
from relay.domain.message import Origin
from relay.domain.outgoing import OUT_RULES, Outgoing, decide_outgoing
from relay.domain.routing import Manager, Other
from relay.domain.trace import steps
from tests.domain.test_incoming import FROM_ANNA, SALES, SETTINGS, SUPPORT, WRITTEN
from tests.domain.test_outgoing import NEW

CHANNELS = st.lists(st.sampled_from([SALES.id, SUPPORT.id, NEW.id]), max_size=2).map(tuple)
WRITERS = st.sampled_from(Other) | st.builds(Manager, CHANNELS, st.sampled_from(["", "Анна"]))
SETTINGS_OF_ALL_KINDS = st.builds(
    lambda default, imports, titled, listed: replace(
        SETTINGS,
        default_channel=default,
        import_sent_from_phone=imports,
        title_in_messages=frozenset(titled),
        blacklist=Blacklist.compiled(listed),
    ),
    st.sampled_from([None, SALES.id, NEW.id]),
    st.booleans(),
    CHANNELS,
    st.sampled_from([(), ("+79001234567",), ("+7900*",), ("+44*",)]),
)


@given(SETTINGS_OF_ALL_KINDS, st.sampled_from(Origin), st.booleans())
def test_into_amocrm_the_trace_ends_as_the_decision(
    settings: object, origin: Origin, sent_by_us: bool
) -> None:
    """Whoever watches sees exactly what is decided, rule by rule in their order."""
    incoming = Incoming(replace(FROM_ANNA, origin=origin), SALES.id, sent_by_us)
    seen = list(steps(IN_RULES, incoming, settings))  # type: ignore[arg-type]  # hypothesis' type
    assert seen[-1].after == decide_incoming(incoming, settings)  # type: ignore[arg-type]
    assert [step.rule for step in seen] == list(IN_RULES[: len(seen)])
    assert [step.before for step in seen[1:]] == [step.after for step in seen[:-1]]
    assert seen[-1].ends == isinstance(seen[-1].after, Ignored)
    assert not any(step.ends for step in seen[:-1])


@given(
    SETTINGS_OF_ALL_KINDS, WRITERS, st.sampled_from([None, SALES.own, SUPPORT.own]), st.booleans()
)
def test_out_of_amocrm_the_trace_ends_as_the_decision(
    settings: object, writer: object, own: object, absent: bool
) -> None:
    """The same in the other direction, whether it is sent, refused or put off."""
    outgoing = Outgoing(
        replace(WRITTEN, content=Text("Добрый день")),
        writer,  # type: ignore[arg-type]  # hypothesis' type
        own,  # type: ignore[arg-type]
        absent=frozenset({"79001234567"}) if absent else (),
    )
    seen = list(steps(OUT_RULES, outgoing, settings))  # type: ignore[arg-type]
    assert seen[-1].after == decide_outgoing(outgoing, settings)  # type: ignore[arg-type]
    assert [step.rule for step in seen] == list(OUT_RULES[: len(seen)])


def test_a_rule_that_does_nothing_is_told_from_one_that_acts() -> None:
    """What a rule left alone it passed; its name is that of its function."""
    first, *_, last = steps(
        IN_RULES,
        Incoming(FROM_ANNA, SALES.id),
        replace(SETTINGS, title_in_messages=frozenset({SALES.id})),
    )
    assert (first.name, first.acts) == (IN_RULES[0].__name__, False)
    assert (last.name, last.acts, last.ends) == ("open_with_marks", True, False)
