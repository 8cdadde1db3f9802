"""The thin part that touches the network: signs, posts, reads a bounded answer."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import aiohttp
from yarl import URL

from relay import __version__
from relay.amocrm import protocol
from relay.amocrm.alarm import Credential, CredentialsAlarm
from relay.amocrm.answers import Alarm, Answer, Verdict, decipher
from relay.amocrm.credentials import CredentialsHolder
from relay.amocrm.errors import RefusedError, UnreachableError
from relay.amocrm.skew import ClockSkew
from relay.amocrm.wire import CONNECTIONS, LONGEST_ANSWER, Wire
from relay.delivery.ports import Clock
from relay.domain.outbox import Dead, Delivered, Retry

TIMEOUT_S: Final = 10.0
"""For one request from the first byte to the last."""


def open_session(connections: int = CONNECTIONS) -> aiohttp.ClientSession:
    """A session with a bounded pool. It keeps no cookies: some methods refuse who has them."""
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=connections),
        cookie_jar=aiohttp.DummyCookieJar(),
        headers={"User-Agent": f"relay/{__version__}"},
    )


async def exchange(
    session: aiohttp.ClientSession,
    method: str,
    url: URL,
    headers: dict[str, str],
    body: bytes | None = None,
    *,
    timeout_s: float = TIMEOUT_S,
    longest: int = LONGEST_ANSWER,
) -> Answer:
    """One request and its answer, whatever its status. Redirects are answers too.

    Of the answer's body no more than ``longest`` bytes are read.

    Raises:
        UnreachableError: no answer in time, or none that is HTTP; it may have been done anyway.
    """
    try:
        async with session.request(
            method,
            url,
            data=body,
            headers=headers,
            timeout=_limit(timeout_s),
            allow_redirects=False,
        ) as response:
            said = await _read(response, longest)
            told = response.headers
            return Answer(response.status, said, told.get("Date"), told.get("Retry-After"))
    except TimeoutError as error:
        raise UnreachableError(f"no answer within {timeout_s:g} s") from error
    except (aiohttp.ClientError, OSError) as error:
        raise UnreachableError(f"{type(error).__name__}: {error}") from error


@lru_cache(maxsize=8)
def _limit(timeout_s: float) -> aiohttp.ClientTimeout:
    return aiohttp.ClientTimeout(total=timeout_s)


async def _read(response: aiohttp.ClientResponse, longest: int) -> bytes:
    """The body up to the limit. What is longer is no answer of theirs, and its socket is closed."""
    length = response.content_length
    if length is not None and length < longest and "Content-Encoding" not in response.headers:
        return await response.read()
    parts: list[bytes] = []
    room = longest
    while room and (part := await response.content.read(room)):
        parts.append(part)
        room -= len(part)
    if not room:
        response.close()
    return b"".join(parts)


class ChatsClient:
    """Speaks to one host of the chats API, signing with the credentials of the moment."""

    def __init__(
        self,
        wire: Wire,
        credentials: CredentialsHolder,
        clock: Clock,
        alarm: CredentialsAlarm,
        *,
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        self._wire = wire
        self._credentials = credentials
        self._clock = clock
        self._alarm = alarm
        self._timeout_s = timeout_s
        self.skew = ClockSkew()

    async def post(self, request: protocol.Request) -> Answer:
        """Sign and send.

        Raises:
            UnreachableError: no answer; the request may have been done anyway.
        """
        headers = protocol.sign(
            request.method,
            request.path,
            request.body,
            self._credentials.current.secret,
            protocol.date_header(self._clock.now_ms()),
        )
        answer = await self._wire.post(
            request.path, headers, request.body, timeout_s=self._timeout_s
        )
        self.skew.compare(answer.date, self._clock.now_ms())
        return answer

    async def connect(self, account_amojo_id: str) -> str:
        """Connect the channel to the account, and the scope id.

        Raises:
            RefusedError: amoCRM refuses the signature, or does not know the channel at all.
            UnreachableError: anything else that is not a success.
        """
        now = self._credentials.current
        request = protocol.connect(now.channel_id, account_amojo_id, now.title)
        verdict = decipher(request.call, await self.post(request), private=(now.secret,))
        match verdict:
            case Verdict(Delivered(str(scope_id))):
                self._alarm.accepted(Credential.CHANNEL)
                return scope_id
            case Verdict(Retry(reason), Alarm.CREDENTIALS | Alarm.CHANNEL):
                self._alarm.refused(Credential.CHANNEL, reason)
                raise RefusedError(reason)
            case Verdict(Retry(reason) | Dead(reason)):
                raise UnreachableError(reason)
            case _:
                raise UnreachableError("amoCRM named no scope")
