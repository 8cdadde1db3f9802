"""Our own server of the WhatsApp Web protocol, for tests alone.

It plays the service, the owners' phones and any number of contacts on loopback, and the
unmodified client library talks to it over TLS, Noise and Signal. It proves what *the client*
does. It proves nothing about what WhatsApp accepts: no rate limit, spam check or ban of the real
service is known here, and node shapes are those that the client sends and understands.

A test opens a server, starts the program under test with its ``environment()``, and speaks for
everybody else::

    async with WhatsAppServer() as server:
        phone = server.phone("74950000001", "Sales")
        anna = server.contact("79991234567", "Анна")
        await server.pair_store(path, phone)  # or: await phone.scan(text_of_the_qr_code)
        ...  # start the program on the store, with server.environment()
        device = server.session(phone)
        await device.online()
        await anna.send(phone, "Привет")
        answer = await anna.received()
        await anna.receipt(answer, "read")
        await device.drained()

Leaving the context fails the test if a client asked what the server cannot answer, wanted another
host, or said what nobody could read. Waiting is by events; a wait in vain says what was missed.

What does not belong here: anything of the relay. The server knows the protocol only, so that the
relay is tested from outside.
"""

from tests.whatsapp_server.addresses import Jid
from tests.whatsapp_server.contact import Contact
from tests.whatsapp_server.inbox import Heard
from tests.whatsapp_server.linked import LinkedDevice
from tests.whatsapp_server.phone import Phone
from tests.whatsapp_server.server import WhatsAppServer

__all__ = ["Contact", "Heard", "Jid", "LinkedDevice", "Phone", "WhatsAppServer"]
