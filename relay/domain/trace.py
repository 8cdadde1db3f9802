"""How a decision came about: the very rules that decide, run one by one and watched.

The deciding functions know nothing of this, so that a message pays nothing for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Generic, TypeVar

from relay.domain.settings import Settings
from relay.domain.values import value

Subject = TypeVar("Subject")
End = TypeVar("End")


@value
class Step(Generic[Subject, End]):
    """One rule and what it made of its subject: the same, a changed one, or the end of it."""

    rule: Callable[[Subject, Settings], Subject | End]
    before: Subject
    after: Subject | End

    @property
    def name(self) -> str:
        """The rule's own name: ``keep_out_listed``."""
        return self.rule.__name__

    @property
    def ends(self) -> bool:
        """Whether the matter ends with this rule."""
        return not isinstance(self.after, type(self.before))

    @property
    def acts(self) -> bool:
        """Whether the rule did anything at all."""
        return self.after != self.before


def steps(
    rules: Sequence[Callable[[Subject, Settings], Subject | End]],
    subject: Subject,
    settings: Settings,
) -> Iterator[Step[Subject, End]]:
    """The rules in order, up to the one that ends the matter."""
    for rule in rules:
        after = rule(subject, settings)
        step: Step[Subject, End] = Step(rule, subject, after)
        yield step
        if not isinstance(after, type(subject)):
            return
        subject = after
