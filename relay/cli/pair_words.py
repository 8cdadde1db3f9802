"""How a pairing ended, for the administrator: what happened, and what he can do."""

from __future__ import annotations

from relay.whatsapp.linked_device.pairing_terms import Linked, NotLinkedError, Why

_PHONE_LIST = "WhatsApp → Settings → Linked devices"

_ENDS = {
    Why.TIMEOUT: "Nobody took a code in time. Run it again when the phone is at hand.",
    Why.LOST: "The connection to WhatsApp was lost before a code was taken. Run it again.",
    Why.UNREACHABLE: "WhatsApp cannot be reached: {detail}. Check the network of this machine"
    " and the channel's `proxy`.",
    Why.OUTDATED: "WhatsApp no longer accepts this version of its library. Upgrade the relay"
    " and run it again; numbers that are linked already go on until WhatsApp refuses them too.",
    Why.PASSKEY: "WhatsApp demands a passkey to link a device to this account, by QR code and by"
    " letters alike, and the relay's library has none. This account cannot be linked now."
    " What else there is: try again another day (WhatsApp does not demand it of every account at"
    " all times), or connect the number through the Cloud API with coexistence"
    " (WhatsApp Business app), `engine: cloud_api`.",
    Why.OLD_PHONE: "The WhatsApp on the phone is too old to link devices. Update it and run it"
    " again.",
    Why.WRONG_NUMBER: "That was {detail}, but the file says `channels.{channel}.phone: {phone}`."
    " The device was logged out at WhatsApp again, and nothing is linked. Take the other phone,"
    " or change the file.",
    Why.WRONG_NUMBER_STAYS: "That was {detail}, but the file says"
    " `channels.{channel}.phone: {phone}`. Nothing is linked here, but the device could not be"
    f" logged out at WhatsApp: remove it on that phone ({_PHONE_LIST}). Then take the other phone,"
    " or change the file.",
    Why.NOT_ON_WHATSAPP: "WhatsApp knows no account {detail}. Give --code the number of the phone"
    " that is to type the letters, with its country code.",
    Why.TOO_MANY: "WhatsApp refuses more letters for now: too many attempts. Wait an hour, or"
    " scan the QR code instead.",
    Why.REFUSED: "WhatsApp refused: {detail}. Try again later.",
    Why.NEVER_CONNECTED: "The phone took the code, but WhatsApp did not let the new device in."
    f" Nothing is linked here. If the phone lists the device, remove it ({_PHONE_LIST}); then run"
    " it again.",
    Why.INTERRUPTED: "Interrupted when the phone had taken the code. Nothing is linked here, but"
    f" the device could not be logged out at WhatsApp: remove it on the phone ({_PHONE_LIST}).",
    Why.BROKEN: "Something failed on this machine: {detail}. Nothing is linked.",
}

CANCELLED = "Interrupted. Nothing was changed."
BUSY = "another process uses the session (another relay pair, or a relay). Wait for it, or stop it."
DAMAGED = (
    "the session's file is damaged, so nobody can log out with it. Remove the device on the phone"
    f" ({_PHONE_LIST}), then run relay pair: it puts a whole file in its place."
)


def linked(channel: str, end: Linked) -> str:
    """The good end."""
    name = f" ({end.name})" if end.name else ""
    return f"{channel}: linked to +{end.own}{name}"


def not_linked(channel: str, phone: str | None, error: NotLinkedError) -> str:
    """The bad one; ``phone`` is what the file says, digits."""
    words = _ENDS[error.why].format(detail=error.detail, channel=channel, phone=f'"+{phone}"')
    return f"{channel}: {words}"


def not_unlinked(channel: str, reason: str) -> str:
    """The device is still linked."""
    return (
        f"{channel}: not logged out of WhatsApp: {reason}. The session is kept. Try again, or"
        f" remove the device on the phone ({_PHONE_LIST})."
    )
