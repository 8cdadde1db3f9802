"""What may go wrong between us and amoCRM, as types."""

from __future__ import annotations


class AmoCrmError(Exception):
    """Something between us and amoCRM; its text is for the operator and holds no secret."""


class RefusedError(AmoCrmError):
    """amoCRM answered that our credentials are no good. Trying the same again will not help."""


class ForbiddenError(RefusedError):
    """The token is good, but whoever gave it has no right to this, or the account lacks it."""


class RejectedError(AmoCrmError):
    """amoCRM understood what was asked, and will not do it: the request itself must change."""


class NotFoundError(RejectedError):
    """amoCRM knows no such thing."""


class UnreachableError(AmoCrmError):
    """No answer, or none that makes sense. What was asked may have been done all the same."""


class OtherAccountError(AmoCrmError):
    """The token opens another account than the one whose messages are kept here."""
