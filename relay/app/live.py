"""What is in force now: the file as last taken, and what the rules make of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from relay.amocrm.credentials import Credentials, CredentialsHolder, OAuthClient
from relay.amocrm.rest.sources import Wanted
from relay.config.channel import AnyChannel, CloudApi, LinkedDevice
from relay.config.model import Config, User
from relay.config.values import EVERYONE_ELSE
from relay.domain.blacklist import Blacklist
from relay.domain.ids import ChannelId, CrmPersonId, OwnNumber, UserId, source_id
from relay.domain.pacing import Pace
from relay.domain.routing import Manager
from relay.domain.settings import Channel, Settings
from relay.domain.signatures import Signatures


class Live:
    """The configuration in force, changed only as a whole.

    ``own`` are the channels' numbers as WhatsApp told them, remembered from earlier lives.
    """

    def __init__(self, config: Config, own: Mapping[ChannelId, OwnNumber]) -> None:
        self._own = dict(own)
        self.config = config
        self.settings = self._numbered(settings_of(config))
        self.credentials = CredentialsHolder(credentials_of(config))

    def take(self, config: Config, settings: Settings) -> None:
        """From now on this is in force; ``settings`` is what :func:`settings_of` made of it."""
        self.config = config
        self.settings = self._numbered(settings)
        self.credentials.current = credentials_of(config)

    def learn(self, channel: ChannelId, own: OwnNumber) -> bool:
        """A channel's number is known; whether that is news."""
        if self._own.get(channel) == own:
            return False
        self._own[channel] = own
        self.settings = self._numbered(self.settings)
        return True

    def sources(self) -> list[Wanted]:
        """The sources amoCRM should have: one for each number that a channel has told."""
        sources = {
            own: Wanted(
                channel=id_,
                id=source_id(own),
                name=channel.title,
                phone=f"+{own}",
                pipeline_id=channel.pipeline_id,
                official=isinstance(channel, CloudApi),
            )
            for id_, channel in self.config.channels.items()
            if (own := self._own.get(id_)) is not None
        }
        return list(sources.values())

    def linkable(self) -> list[str]:
        """The channels whose number is linked from here."""
        channels = self.config.channels
        return [id_ for id_, channel in channels.items() if isinstance(channel, LinkedDevice)]

    def typing_ms(self, channel: ChannelId) -> int:
        """For how long a channel shows typing before it sends; 0: not at all."""
        configured = self.config.channels.get(channel)
        shown = configured.pacing.typing_ms if isinstance(configured, LinkedDevice) else None
        return shown or 0

    def _numbered(self, settings: Settings) -> Settings:
        """The same with the numbers that the channels are known to have."""
        channels = {
            id_: replace(channel, own=self._own.get(id_))
            for id_, channel in settings.channels.items()
        }
        return replace(settings, channels=channels)


def settings_of(config: Config) -> Settings:
    """What the rules read in a file, before any channel has a number.

    Everything that takes long (large lists) is done here, for a reload does it beside the loop.
    """
    channels = {id_: _channel(id_, channel) for id_, channel in config.channels.items()}
    users = {key: _manager(config, user) for key, user in config.users.items()}
    return Settings(
        language=config.language,
        channels=channels,
        default_channel=config.default_channel,
        import_sent_from_phone=config.settings.import_sent_from_phone,
        phone_8_to_7=config.settings.phone_8_to_7,
        keep_deleted=config.settings.keep_deleted,
        title_in_messages=frozenset(config.settings.title_in_messages),
        blacklist=Blacklist.compiled(config.settings.blacklist),
        error_replies=config.settings.error_replies,
        error_label=config.settings.error_label,
        bot=CrmPersonId(str(bot)) if (bot := config.amocrm.chats.bot_id) else None,
        signatures=Signatures.compiled(
            user.signature for user in config.users.values() if user.signature
        ),
        give_up_amocrm_ms=config.delivery.give_up_after.amocrm_ms,
        give_up_whatsapp_ms=config.delivery.give_up_after.whatsapp_ms,
        users={UserId(key): user for key, user in users.items() if isinstance(key, int)},
        everyone_else=users.get(EVERYONE_ELSE),
    )


def _channel(id_: ChannelId, channel: AnyChannel) -> Channel:
    if isinstance(channel, CloudApi):
        return Channel(id_, channel.title, longest_text=4096, longest_caption=1024)
    return Channel(id_, channel.title, pace=_pace(channel))


def _manager(config: Config, user: User) -> Manager:
    """A user of the file, with ``default`` replaced by what it means now."""
    return Manager(config.channels_of(user), (user.signature or "").strip())


def _pace(channel: AnyChannel) -> Pace | None:
    """How carefully the channel writes first; Meta paces its own platform itself."""
    if not isinstance(channel, LinkedDevice):
        return None
    pacing = channel.pacing
    return Pace(pacing.per_minute, pacing.per_hour, pacing.per_day)


def credentials_of(config: Config) -> Credentials:
    """What proves us to amoCRM, as the file has it."""
    chats = config.amocrm.chats
    token, oauth = config.amocrm.token, config.amocrm.oauth
    return Credentials(
        channel_id=str(chats.channel_id),
        secret=chats.secret.reveal(),
        token=token.reveal() if token else "",
        bot_id=str(chats.bot_id) if chats.bot_id else None,
        oauth=OAuthClient(str(oauth.client_id), oauth.client_secret.reveal(), oauth.redirect_uri)
        if oauth
        else None,
    )
