"""Knows everybody who has an address: people, their devices, and groups."""

from __future__ import annotations

from tests.whatsapp_server.addresses import LIDS, Jid
from tests.whatsapp_server.group import Group
from tests.whatsapp_server.linked import LinkedDevice
from tests.whatsapp_server.person import Person
from tests.whatsapp_server.signal_device import Bundle


class Directory:
    """People by number and by hidden id, groups by address."""

    def __init__(self) -> None:
        self.groups: dict[Jid, Group] = {}
        self._people: dict[str, Person] = {}

    def add(self, person: Person) -> None:
        """Makes a person known. Raises ``ValueError`` if the number or the hidden id is taken."""
        for user in (person.number, person.lid.user):
            if user in self._people:
                raise ValueError(f"{user} is taken by {self._people[user]}")
            self._people[user] = person

    def find(self, jid: Jid) -> Person | None:
        """Whose address this is, whatever the device."""
        person = self._people.get(jid.user)
        expected = person and (person.lid if jid.server == LIDS else person.jid)
        return person if expected == jid.person else None

    def everybody(self) -> set[Person]:
        """Everybody, once."""
        return set(self._people.values())

    def owner(self, number: int, index: int) -> LinkedDevice | None:
        """The linked device that logs in as ``index`` of a number."""
        person = self._people.get(str(number))
        return person.linked.get(index) if person else None

    def bundle_of(self, jid: Jid) -> Bundle | None:
        """What one needs to write to a device for the first time; ``None`` if there is none."""
        person = self.find(jid.person)
        if person is None:
            return None
        if jid.device == 0:
            return person.device.bundle()
        linked = person.linked.get(jid.device)
        return linked.bundle() if linked and not linked.removed else None
