"""Runs the rules over a question and puts the answer together."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from relay.app.explain.incoming import IN_WORDS, InStep, card_words
from relay.app.explain.outgoing import OUT_WORDS, OutStep, pace_words, reply_words, writer_name
from relay.app.explain.terms import (
    Basis,
    Case,
    Effect,
    Explanation,
    FromClient,
    Known,
    Outcome,
    QuestionError,
    Ruling,
    Said,
    ToClient,
)
from relay.app.live import settings_of
from relay.config.channel import AnyChannel, LinkedDevice
from relay.config.errors import nearest, path_text
from relay.config.model import Config
from relay.config.places import Places
from relay.domain.contents import Content, Text
from relay.domain.ids import (
    ChannelId,
    ClientAddress,
    CrmChatId,
    CrmMessageId,
    CrmPersonId,
    OwnNumber,
    UserId,
    WhatsAppMessageId,
)
from relay.domain.incoming import IN_RULES, Ignored, Incoming
from relay.domain.marks import marked
from relay.domain.message import (
    Client,
    Origin,
    Received,
    Written,
)
from relay.domain.outgoing import OUT_RULES, Outgoing, Refused, Undecided
from relay.domain.phone import normalise
from relay.domain.settings import Settings
from relay.domain.texts import reason_text
from relay.domain.trace import Step, steps

_ANY_TEXT = "…"


class Explainer:
    """Answers questions about one file, with what a running relay knows besides."""

    def __init__(self, config: Config, places: Places, known: Known) -> None:
        self._places = places
        self._known = known
        self._case = Case(config, self._numbered(config))

    def explain(self, asked: FromClient | ToClient) -> Explanation:
        """What would become of the message.

        Raises:
            QuestionError: it names what does not exist, or no telephone number.
        """
        if isinstance(asked, FromClient):
            self._must_exist(asked.channel)
            return self._incoming(replace(asked, phone=self._readable(asked.phone)))
        for channel in (asked.chat, asked.source):
            self._must_exist(channel)
        return self._outgoing(replace(asked, phone=self._readable(asked.phone)))

    # --- Into amoCRM ------------------------------------------------------------------------------

    def _incoming(self, asked: FromClient) -> Explanation:
        case, channel = self._case, self._case.settings.channels[asked.channel]
        digits = normalise(asked.phone, channel.own)
        if digits is None:
            raise QuestionError(f"{asked.phone} is not a telephone number")
        message = Received(
            own=channel.own or OwnNumber(""),
            client=Client(ClientAddress(digits), f"+{digits}"),
            id=WhatsAppMessageId("explain"),
            sent_at_ms=0,
            origin=Origin.PHONE if asked.typed_on_phone else Origin.CLIENT,
            content=Text(asked.text or _ANY_TEXT),
        )
        taken: list[InStep] = list(steps(IN_RULES, Incoming(message, asked.channel), case.settings))
        rulings = self._steps(taken, lambda step: IN_WORDS[step.name](case, step))
        end = taken[-1].after
        who = "the owner's phone writes to" if asked.typed_on_phone else "a client writes from"
        question = f"{who} +{digits}, channel {asked.channel}"
        if isinstance(end, Ignored):
            verdict = f"nothing enters amoCRM, and nobody is told (ignored: {end.rule})"
            return Explanation(question, tuple(rulings), Outcome.IGNORED, verdict)
        if card := card_words(case, end):
            rulings.append(self._ruling("phone_8_to_7", Effect.AFTER, card))
        how = "as outgoing, in the bot's name" if asked.typed_on_phone else "as the client's"
        text = marked(_text(end.message.content) or "", end.marks)
        verdict = f"it enters amoCRM {how}"
        return Explanation(question, tuple(rulings), Outcome.ENTERS, verdict, text)

    # --- Out of amoCRM ----------------------------------------------------------------------------

    def _outgoing(self, asked: ToClient) -> Explanation:
        case = self._case
        taken: list[OutStep] = list(steps(OUT_RULES, self._written(asked), case.settings))
        rulings = self._steps(taken, lambda step: OUT_WORDS[step.name](case, asked, step))
        end = taken[-1].after
        question = f"{writer_name(case, asked)} writes to {asked.phone}"
        if isinstance(end, Outgoing):
            if pace := pace_words(case, end):
                rulings.append(self._ruling("pacing", Effect.AFTER, pace))
            verdict = f"it is sent to +{end.to} through channel {end.channel and end.channel.id}"
            text = _text(end.written.content)
            return Explanation(question, tuple(rulings), Outcome.SENT, verdict, text)
        if isinstance(end, Refused) and (reply := reply_words(case, end)):
            rulings.append(self._ruling("error_replies", Effect.AFTER, reply))
        told = f"the manager is told (-1): {_refusal(end, case.settings)}"
        if isinstance(end, Undecided):
            outcome, verdict = Outcome.WAITS, f"it waits; if that is in vain, {told}"
        else:
            outcome, verdict = Outcome.REFUSED, f"nothing is sent, and {told}"
        return Explanation(question, tuple(rulings), outcome, verdict)

    def _written(self, asked: ToClient) -> Outgoing:
        settings = self._case.settings
        own = settings.channels[asked.chat].own if asked.chat else None
        source = settings.channels[asked.source].own if asked.source else None
        written = Written(
            id=CrmMessageId("explain"),
            chat=CrmChatId("explain"),
            conversation=None,
            author=CrmPersonId("explain"),
            client=CrmPersonId("explain"),
            phone=asked.phone,
            content=Text(asked.text or _ANY_TEXT),
            written_at_ms=0,
            source=source,
        )
        user = None if asked.user is None else UserId(asked.user)
        outgoing = Outgoing(written, settings.writer(user), absent=self._known.absent)
        digits = normalise(asked.phone, own)
        if asked.chat is None:
            return outgoing
        if digits is None:
            raise QuestionError(f"{asked.phone} is not a telephone number")
        return replace(outgoing, own=own, to=ClientAddress(digits), phone=digits, wrote=True)

    # --- What both need ---------------------------------------------------------------------------

    def _numbered(self, config: Config) -> Settings:
        """With the channels' numbers: as the relay knows them, else as the file says, else any."""
        settings = settings_of(config)
        channels = {
            id_: replace(channel, own=self._own(id_, config.channels[id_]))
            for id_, channel in settings.channels.items()
        }
        return replace(settings, channels=channels)

    def _own(self, id_: ChannelId, channel: AnyChannel) -> OwnNumber | None:
        if self._known.running:
            return self._known.own.get(id_)
        if isinstance(channel, LinkedDevice) and channel.phone:
            return OwnNumber(channel.phone.removeprefix("+"))
        return OwnNumber(f"?{id_}")  # no number, but told apart from the other channels'

    def _readable(self, phone: str) -> str:
        """As written, if the channels' numbers say how to read it; else in international form.

        Raises:
            QuestionError: it needs a country code to be understood.
        """
        if self._known.running:
            return phone
        known = [c.own for c in self._case.settings.channels.values() if c.own and c.own.isdigit()]
        found = (normalise(phone, own) for own in (None, *known))
        digits = next(filter(None, found), None)
        if digits is None:
            raise QuestionError(f"{phone}: expected a number with its country code: +79001234567")
        return f"+{digits}"

    def _ruling(self, name: str, effect: Effect, said: Said) -> Ruling:
        basis = tuple(Basis(path_text(key), self._places.line(key)) for key in said.keys)
        return Ruling(name, effect, said.text, basis)

    def _steps(self, taken: Iterable[Step[Any, Any]], words: Callable[[Any], Said]) -> list[Ruling]:
        return [self._ruling(step.name, _effect(step), words(step)) for step in taken]

    def _must_exist(self, channel: ChannelId | None) -> None:
        channels = self._case.config.channels
        if channel is not None and channel not in channels:
            near = nearest(channel, channels)
            hint = f" (nearest: {near})" if near else f"; there are {', '.join(channels)}"
            raise QuestionError(f"there is no channel {channel}{hint}")


def _refusal(end: Refused | Undecided, settings: Settings) -> str:
    """What the manager is told, in the language of the file."""
    refused = end.refusal if isinstance(end, Undecided) else end
    reason = reason_text(
        refused.reason, settings.language, channel=refused.channel_title, limit=refused.limit
    )
    return f"{refused.failure.value} {reason}"


def _effect(step: Step[Any, Any]) -> Effect:
    if step.ends:
        return Effect.ENDS
    return Effect.CHANGES if step.acts else Effect.PASSES


def _text(content: Content) -> str | None:
    return content.text if isinstance(content, Text) else None
