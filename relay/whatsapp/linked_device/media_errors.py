"""Why nothing comes from the media host, or goes there."""

from __future__ import annotations


class GoneError(Exception):
    """The host does not keep the file any more."""


class HostError(Exception):
    """Not now: no connection, a drop, an answer that makes no sense."""


class AccessError(HostError):
    """The host does not take the permission that was shown to it."""
