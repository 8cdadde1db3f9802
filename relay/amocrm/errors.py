"""What may go wrong between us and amoCRM, as types."""

from __future__ import annotations


class AmoCrmError(Exception):
    """Something between us and amoCRM; its text is for the operator and holds no secret."""


class RefusedError(AmoCrmError):
    """amoCRM answered that our credentials are no good. Trying the same again will not help."""


class UnreachableError(AmoCrmError):
    """No answer, or none that makes sense. What was asked may have been done all the same."""


class OtherAccountError(AmoCrmError):
    """The token opens another account than the one whose messages are kept here."""
