"""The file, typed: every key, its meaning, its default. Frozen; a reload makes a new one.

The attribute docstrings are the descriptions of the JSON Schema (:mod:`meanings`). Names of
attributes are the keys of the file, but for durations and sizes: those are milliseconds and bytes
here and say so.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Annotated, Final, Literal

from relay.config.addresses import Address, amojo_of
from relay.config.channel import Channel
from relay.config.fields import (
    ChannelKey,
    ChannelName,
    Directory,
    DurationMs,
    FileSize,
    FrozenMapping,
    Line,
    Lines,
    ListedNumber,
    Listen,
    ListOf,
    Optional,
    Origin,
    SecretText,
    Size,
    Switch,
    Url,
    UserKey,
    Uuid,
    WholeUrl,
    choice,
)
from relay.config.parts import Part, entries, key
from relay.config.shapes import Leaf
from relay.config.sizes import GB, MB
from relay.config.values import DEFAULT, EVERYONE_ELSE
from relay.domain.ids import ChannelId
from relay.domain.retry import DAY, HOUR
from relay.domain.settings import Language


class OAuth(Part):
    """An OAuth integration instead of a long-lived token."""

    client_id: Uuid
    """The integration's id."""
    client_secret: SecretText
    """The integration's secret key."""
    redirect_uri: WholeUrl
    """The redirect address exactly as registered: `server.public_url` and `/amocrm/oauth`."""


class Integration(Part):
    """The private integration the widget belongs to."""

    id: Uuid
    """The integration's id."""
    secret: SecretText
    """The integration's secret key: the widget's requests are signed with it."""


class Chats(Part):
    """The chats channel that amoCRM's support registered."""

    channel_id: Uuid
    """The channel's id."""
    secret: SecretText
    """The channel's secret key: all requests and hooks of the chats API are signed with it."""
    bot_id: Uuid | None = None
    """The channel's bot: the author of messages typed on the phone and of error replies."""
    url: Url | None = None
    """The chats API. Left out: it follows the account's domain."""


class AmoCrm(Part):
    """The one account this relay serves. Either `token` or `oauth`."""

    account: Origin
    """The account's address, such as `https://example.amocrm.ru`."""
    token: SecretText | None = None
    """A long-lived token of the integration."""
    oauth: OAuth | None = None
    """OAuth instead of a long-lived token; `relay authorize` walks through it."""
    integration: Integration | None = None
    """Needed by the widget only."""
    chats: Chats
    """The chats channel."""

    @property
    def chats_url(self) -> str:
        """The chats API: as written, else by the account's domain.

        Raises:
            LookupError: neither says it (a file that loads always says it).
        """
        url = self.chats.url or amojo_of(self.account)
        if url is None:
            raise LookupError("amocrm.chats.url is needed: the account's domain is not amoCRM's")
        return url


class Server(Part):
    """Where the relay is reached. Changes need a restart."""

    listen: Listen = key(default=Address("127.0.0.1", 8080), shown="127.0.0.1:8080")
    """Hooks, media and widget. TLS is the reverse proxy's work."""
    public_url: Url
    """The address under which the reverse proxy shows `listen` to the world."""
    admin_listen: Listen = key(default=Address("127.0.0.1", 9090), shown="127.0.0.1:9090")
    """Health and metrics; never public."""


class Storage(Part):
    """Where the relay keeps what it must not lose. Changes need a restart."""

    directory: Directory
    """Database, sessions, media. A relative path counts from this file."""


class Log(Part):
    """What is logged and how."""

    level: Annotated[
        Literal["debug", "info", "warning", "error"], choice("debug", "info", "warning", "error")
    ] = "info"
    """The least important events that are still logged."""
    format: Annotated[Literal["json", "console"], choice("json", "console")] | None = None
    """Left out: `console` on a terminal, `json` elsewhere."""


class GiveUpAfter(Part):
    """After this long a message is dead: kept, reported, replayable."""

    amocrm_ms: DurationMs = key(default=DAY, name="amocrm", shown="24h")
    """Messages into amoCRM."""
    whatsapp_ms: DurationMs = key(default=HOUR, name="whatsapp", shown="1h")
    """Messages out to WhatsApp."""


class Delivery(Part):
    """How long the relay tries, and how long it remembers."""

    give_up_after: Optional[GiveUpAfter] = GiveUpAfter()
    """When to give a message up."""
    keep_delivered_ms: DurationMs = key(default=30 * DAY, name="keep_delivered", shown="30d")
    """How long finished messages stay in the journal."""


class Media(Part):
    """How large files may be, and how long they are kept for amoCRM to fetch."""

    limit_bytes: FileSize = key(default=128 * MB, name="limit", shown="128MB")
    """The largest file that passes, either way, up to 2GB."""
    quota_bytes: Size = key(default=20 * GB, name="quota", shown="20GB")
    """All files together: beyond it the oldest go, what amoCRM has not fetched yet last."""
    keep_ms: DurationMs = key(default=180 * DAY, name="keep", shown="180d")
    """How long files are kept: for so long links of theirs in amoCRM work."""


class MessageSettings(Part):
    """What the relay does with messages; acts at once when the file is saved."""

    phone_check: Switch = True
    """A WhatsApp button beside every phone number of a contact card."""
    error_replies: Switch = True
    """A failed send is also answered in the chat."""
    error_label: Line = "[GNZS ERROR]"
    """What such an answer begins with."""
    default_channel: ChannelName | None = None
    """For bots and for everyone bound to `default`. Left out: the only channel, if there is one."""
    import_sent_from_phone: Switch = False
    """Messages typed on the phone appear in amoCRM, marked. Needs `amocrm.chats.bot_id`."""
    title_in_messages: ListOf[ChannelName] = ()
    """Channels whose title opens every message that reaches amoCRM."""
    blacklist: ListOf[ListedNumber] = ()
    """Numbers that never enter amoCRM; `*` at the end means "begins with"."""
    phone_8_to_7: Switch = False
    """A contact's phone 8XXXXXXXXXX becomes +7XXXXXXXXXX at the first incoming message."""
    keep_deleted: Switch = True
    """What a client takes back stays readable in amoCRM, marked as deleted."""


SECTIONS: Final = (*entries(MessageSettings), "users")
"""What `sections` of a user may name."""

Section = Annotated[str, choice(*SECTIONS)]


class User(Part):
    """A user of amoCRM."""

    name: Line | None = None
    """For the reader of this file."""
    channels: ListOf[ChannelName]
    """The channels he may send through, first choice first: channel ids, or `default`."""
    signature: Lines | None = None
    """Put under every message of his."""
    sections: ListOf[Section] = ()
    """Settings he may see and change inside amoCRM without being an administrator."""


_LANGUAGE: Final = Leaf(
    lambda value: Language(choice(*Language).reader(value)),
    {"type": "string", "enum": list(Language)},
)


class Config(Part):
    """The whole file."""

    language: Annotated[Language, _LANGUAGE] = Language.RU
    """The language of texts the relay itself puts into a chat or shows a manager."""
    amocrm: AmoCrm
    """The one account this relay serves."""
    server: Server
    """Where the relay is reached."""
    storage: Storage
    """Where the relay keeps what it must not lose."""
    log: Optional[Log] = Log()
    """What is logged and how."""
    channels: FrozenMapping[ChannelKey, Channel] = key(least=1)
    """WhatsApp numbers by the channel's id (a-z 0-9 _ -)."""
    delivery: Optional[Delivery] = Delivery()
    """How long the relay tries, and how long it remembers."""
    media: Optional[Media] = Media()
    """How large files may be, and how long they are kept."""
    settings: Optional[MessageSettings] = MessageSettings()
    """What the relay does with messages."""
    users: Optional[FrozenMapping[UserKey, User]] = key(default=MappingProxyType({}))
    """amoCRM's users by their numeric id, and `everyone_else`; nobody else can send."""

    @property
    def default_channel(self) -> ChannelId | None:
        """The default channel: as set, else the only one there is."""
        if self.settings.default_channel is not None or len(self.channels) != 1:
            return self.settings.default_channel
        return next(iter(self.channels))

    def user(self, user_id: int) -> User | None:
        """The rules for a user: his own, else everyone else's, else None: he cannot send."""
        return self.users.get(user_id) or self.users.get(EVERYONE_ELSE)

    def channels_of(self, user: User) -> tuple[ChannelId, ...]:
        """The channels a user is bound to, in his order, `default` replaced by what it means."""
        default = self.default_channel
        named = (default if name == DEFAULT else name for name in user.channels)
        return tuple(dict.fromkeys(name for name in named if name is not None))
