"""What a running relay asks of amoCRM's REST API."""

from __future__ import annotations

from relay.demo.pretended_amocrm import Phone
from tests.app import files
from tests.app.site import Site

OWN = "wa-74950000001"


def names(here: Site) -> list[tuple[str, str, int]]:
    sources = here.amocrm.account.sources.values()
    return [(source.external_id, source.name, source.pipeline_id) for source in sources]


async def test_a_source_follows_the_number_and_the_file(here: Site) -> None:
    """Made when the number is known, renamed and moved when the file is saved."""
    await here.start_connected()
    await here.amocrm.wait_for(lambda _: names(here) == [(OWN, "Продажи", 4711)])
    here.save(channels={"sales": files.SALES | {"title": "Магазин", "pipeline_id": 4712}})
    await here.amocrm.wait_for(lambda _: names(here) == [(OWN, "Магазин", 4712)])
    await here.relay.stop()
    assert here.amocrm.violations == []
    here.check_log()


async def test_messages_carry_their_source(here: Site) -> None:
    """A new lead knows by which number it came."""
    await here.start_connected()
    await here.whatsapp.write("79001234567", "A1", "Привет")
    await here.until_in_amocrm(1)
    [lead] = here.amocrm.account.leads
    assert lead.source == OWN


async def test_users_are_remembered(here: Site) -> None:
    """The users are read once after the start; the next start knows them already."""
    await here.start_connected()
    await here.relay.until_logged("users_learned")
    await here.relay.stop()
    await here.start_connected()
    await here.amocrm.wait_for(lambda it: sum(s.endpoint == "users" for s in it.requests) == 2)
    await here.relay.stop()
    assert "users_learned" not in [line["event"] for line in here.relay.log]
    here.check_log()


async def test_a_token_without_rights_is_told(here: Site) -> None:
    """Messages pass; health says what is missing."""
    here.amocrm.rest.token_is_admin = False
    await here.start_connected()
    await here.relay.until_logged("credentials_refused")
    status, body = await here.admin("/healthz")
    assert status == 503
    assert b"administrator" in body
    await here.whatsapp.write("79001234567", "A1", "Привет")
    await here.until_in_amocrm(1)


async def test_a_tight_limit_is_lived_with(here: Site) -> None:
    """Whatever amoCRM allows at the moment: everything gets done, and nothing gets blocked."""
    here.amocrm.rest.limits.rps = 1
    await here.start_connected()
    await here.relay.until_logged("users_learned")
    await here.amocrm.wait_for(lambda _: names(here) == [(OWN, "Продажи", 4711)])
    assert not here.amocrm.rest.limits.blocked
    here.check_log()


async def test_a_token_put_in_force_brings_users_and_sources(here: Site) -> None:
    """What a refused token kept from being done is done as soon as the file has a good one."""
    here.save(amocrm={"token": "spoilt-token"})
    await here.start()
    await here.relay.until_logged("credentials_refused")
    here.save()
    await here.relay.until_logged("users_learned")
    await here.amocrm.wait_for(lambda _: names(here) == [(OWN, "Продажи", 4711)])
    assert "spoilt-token" not in str(here.relay.log)
    here.check_log()


async def test_a_clients_number_becomes_international_in_his_card(here: Site) -> None:
    """``phone_8_to_7``, switched on by saving the file: after his first message, once."""
    await here.start_connected()
    here.save(settings={"phone_8_to_7": True})
    await here.relay.until_logged("config_reloaded")
    await here.whatsapp.write("79001234567", "A1", "Привет")
    await here.until_in_amocrm(1)
    [contact] = here.amocrm.account.contacts.values()
    contact.phones = [Phone("+74950000009", "HOME"), Phone("8 (900) 123-45-67", "MOB")]
    await here.relay.until_logged("contact_phone_rewritten")
    assert contact.phones == [Phone("+74950000009", "HOME"), Phone("+79001234567", "MOB")]
    assert here.amocrm.violations == []
    here.check_log()
