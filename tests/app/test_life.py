"""Starting, running and stopping as systemd sees it."""

from __future__ import annotations

from tests.app.site import Site

ANNA = "79001234567"


async def test_a_message_and_its_answer(here: Site) -> None:
    """A client's text reaches amoCRM, a manager's answer reaches the client, both once."""
    await here.start_connected()
    await here.whatsapp.write(ANNA, "A1", "Привет")
    await here.until_in_amocrm(1)
    await here.reply(ANNA, "Добрый день")
    sent = await here.whatsapp.until_sent(1)
    assert here.texts_of(ANNA) == ["Привет"]
    assert [(s.to, s.text) for s in sent] == [(ANNA, "Добрый день")]
    assert here.amocrm.violations == []
    assert await here.relay.stop() == 0
    here.check_log()
