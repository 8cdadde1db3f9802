"""The contract of every store, in one class; whoever keeps it inherits it.

A heir gives two fixtures: ``store``, an empty one, and ``crash``, which ends it without a word and
opens what is left. The expectations are written by hand, from the docstrings of
``relay.delivery.ports``.
"""

from __future__ import annotations

from tests.delivery.contract_asking import AskingContract
from tests.delivery.contract_journal import JournalContract
from tests.delivery.contract_outbox import AmendingContract, LaneContract, PuttingContract
from tests.delivery.contract_people import (
    AddressContract,
    ConversationContract,
    FactContract,
    LinkContract,
)
from tests.delivery.contract_posted import PostedContract
from tests.delivery.contract_settling import SettlingContract
from tests.delivery.contract_time import TimeContract
from tests.delivery.contract_transactions import Crash, TransactionContract

__all__ = ["Crash", "StoreContract"]


class StoreContract(
    JournalContract,
    PuttingContract,
    LaneContract,
    AmendingContract,
    AskingContract,
    TimeContract,
    SettlingContract,
    ConversationContract,
    AddressContract,
    LinkContract,
    FactContract,
    PostedContract,
    TransactionContract,
):
    """Everything a store promises."""
