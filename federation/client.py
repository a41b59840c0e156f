"""The guarded HTTP client: everything that this server asks of another goes through here.

    Client.get               a bounded GET that follows a few redirects, each through the guard
    Client.fetch_document    an ActivityPub object, told by the server that its id names
    Client.fetch_page        a page of a collection, which has no life of its own
    Client.fetch_page_anew   the same, unless it is still as it was
    Client.fetch_media       a picture, from the host that was asked and no other
    Client.post              a delivery: never redirected, its answer looked at for the status

One deadline covers a request from the look-up of the name to the last byte. Nothing is unpacked; no
cookie, credential or proxy setting of the environment is used. Which hosts may be dialled is
decided in addresses.py; signing is the caller's, asked anew for every hop.
"""

import asyncio
import contextlib
import email.utils
import re
import ssl
import urllib.parse
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Self

import httpcore2

from federation import addresses, connections, documents, limits, vocabulary
from federation.errors import FederationError, Gone, Refused, Unreachable

# Gives the headers that sign a request, from its method and the URL as it will be sent.
Sign = Callable[[str, str], Mapping[str, str]]

_ETAG = re.compile(r'(?:W/)?"[\x21\x23-\x7e]{0,200}"')
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
# An answer of which only the status counts is read this long, to keep the connection for the next.
_DRAIN_TIME = 1.0
# What the framing of a body may add to it, so that small chunks pass and endless ones do not.
_FRAMING = 64 * 1024
# What httpcore2 raises about another server.
_PROTOCOL_ERRORS = (
    httpcore2.TimeoutException,
    httpcore2.NetworkError,
    httpcore2.ProtocolError,
)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server said.

    `headers` have lower-case names; repeated ones are joined by ", ". `body` is cut where only the
    status counted. `url` is where the answer came from, after redirects, without a fragment.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    url: str


class Budget:
    """How much may be fetched on behalf of one activity. Redirects are not counted, being few."""

    def __init__(self, fetches: int = limits.FETCHES_PER_ACTIVITY) -> None:
        self._left = fetches

    def spend(self) -> None:
        """Takes one fetch from the budget. Raises Refused where none is left."""
        if self._left <= 0:
            raise Refused("too-many-fetches")
        self._left -= 1


class Client:
    """The guarded client. Used as an async context manager, shared by everything in a process.

    `user_agent` is sent with every request. `resolver`, `ssl_context` and `clock` are the system's
    by default; `total_time` and `connect_time` are seconds.
    """

    def __init__(
        self,
        policy: addresses.Policy,
        user_agent: str,
        *,
        resolver: addresses.Resolver | None = None,
        ssl_context: ssl.SSLContext | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        total_time: float = limits.TOTAL_TIME,
        connect_time: float = limits.CONNECT_TIME,
    ) -> None:
        self.policy = policy
        self._user_agent = user_agent
        self._system_resolver = addresses.SystemResolver()  # starts its threads when first asked
        self._connections = connections.Connections(
            addresses.GuardedBackend(policy, resolver or self._system_resolver),
            ssl_context=ssl_context,
            connect_time=connect_time,
        )
        self._clock = clock
        self._total_time = total_time

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Closes all connections."""
        await self._connections.aclose()
        self._system_resolver.close()

    async def get(
        self,
        url: str,
        *,
        accept: str,
        limit: int = limits.DOCUMENT,
        sign: Sign | None = None,
        budget: Budget | None = None,
        etag: str | None = None,
        same_origin: bool = False,
    ) -> Answer:
        """Asks for a URL, whatever the status of the answer; a body of at most `limit` bytes.

        With `etag`, 304 says that it is still the one that had it (RFC 9110, section 13.1.2). With
        `same_origin`, a redirect to another origin is not followed but refused.

        Follows at most limits.REDIRECTS redirects: never to an address seen before, from https to
        http, or from elsewhere to a private peer. Raises Refused or Unreachable.
        """
        target = addresses.check_url(url, self.policy)
        if budget is not None:
            budget.spend()
        deadline = asyncio.get_running_loop().time() + self._total_time
        seen = {target.url}
        for _ in range(limits.REDIRECTS + 1):
            headers = {"Accept": accept, "Accept-Encoding": "identity"}
            if etag is not None:
                headers["If-None-Match"] = etag
            if sign is not None:
                headers |= sign("GET", target.url)
            answer = await self._exchange("GET", target, headers, b"", limit, deadline)
            if answer.status not in _REDIRECTS or "location" not in answer.headers:
                return answer
            target = self._redirected(target, answer.headers["location"])
            if same_origin and not documents.same_origin(url, target.url):
                raise Refused("foreign-answer", target.url)
            if target.url in seen:
                raise Refused("redirect-loop", target.url)
            seen.add(target.url)
        raise Refused("too-many-redirects", url[:100])

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Delivers a body. Whatever the status, it is the caller's to read; redirects as well.

        `headers` are sent as they are, signed or not; a `Host` among them must name the host of
        `url`. Raises Refused or Unreachable.
        """
        target = addresses.check_url(url, self.policy)
        deadline = asyncio.get_running_loop().time() + self._total_time
        return await self._exchange("POST", target, headers, body, limits.ANSWER, deadline)

    async def fetch_json(
        self,
        url: str,
        *,
        accept: str,
        is_type: Callable[[str], bool],
        same_origin: bool = False,
        limit: int = limits.DOCUMENT,
        sign: Sign | None = None,
        budget: Budget | None = None,
    ) -> tuple[dict[str, Any], str]:
        """A JSON object and the URL where it was found in the end.

        `is_type` says whether a `Content-Type` is acceptable, `same_origin` that no redirect may
        lead to another one. Raises Gone for 404 and 410, Refused for what is not acceptable,
        Unreachable for what may be well later.
        """
        answer = await self.get(url, accept=accept, limit=limit, sign=sign, budget=budget)
        if same_origin and not documents.same_origin(url, answer.url):
            raise Refused("foreign-answer", answer.url)
        return self._json(answer, is_type, limit), answer.url

    def _json(self, answer: Answer, is_type: Callable[[str], bool], limit: int) -> dict[str, Any]:
        check_status(answer, self._clock())
        content_type = answer.headers.get("content-type", "")
        if not is_type(content_type):
            raise Refused("wrong-content-type", f"{answer.url}: {content_type[:100]}")
        return documents.parse(answer.body, limit=limit)

    async def fetch_document(
        self,
        url: str,
        *,
        limit: int = limits.DOCUMENT,
        sign: Sign | None = None,
        budget: Budget | None = None,
    ) -> tuple[dict[str, Any], str]:
        """An ActivityPub object from the server that may speak for it, and its URL.

        The object's `id` has the origin of the URL where it was found in the end (FEP-fe34). Where
        it is another URL there, the object is asked for once more, by its id, and must then be
        found under it. Raises like fetch_json.
        """
        document, final = await self._fetch_object(url, limit, sign, budget)
        identifier = self._identifier(document, final)
        if identifier.url != final:
            document, final = await self._fetch_object(identifier.url, limit, sign, budget)
            again = self._identifier(document, final)
            if not identifier.url == again.url == final:
                raise Refused("id-mismatch", f"{final} says that it is {again.url}")
        return document, final

    async def fetch_page(
        self, url: str, *, sign: Sign | None = None, budget: Budget | None = None
    ) -> tuple[dict[str, Any], str]:
        """A collection or a page of one, which is what stands at its URL, and that URL.

        It is found on the host that was asked, and its `id`, where it has one, is of that host; but
        need not be that URL, for servers write their queries in many ways. Raises like fetch_json.
        """
        document, final = await self._fetch_object(
            url, limits.DOCUMENT, sign, budget, same_origin=True
        )
        if document.get("id") is not None:
            self._identifier(document, final)
        return document, final

    async def fetch_page_anew(
        self, url: str, etag: str | None, *, sign: Sign | None = None
    ) -> tuple[dict[str, Any] | None, str | None]:
        """A page as `fetch_page` gives it, and its ETag, where it has one that can be sent back.

        No document where it is still the one that had `etag`. Raises like fetch_json.
        """
        answer = await self.get(url, accept=vocabulary.ACCEPT, sign=sign, etag=etag)
        if not documents.same_origin(url, answer.url):
            raise Refused("foreign-answer", answer.url)
        if etag is not None and answer.status == 304:
            return None, etag
        document = self._json(answer, documents.is_activity_type, limits.DOCUMENT)
        if document.get("id") is not None:
            self._identifier(document, answer.url)
        found = answer.headers.get("etag", "")
        return document, found if _ETAG.fullmatch(found) else None

    async def fetch_media(self, url: str) -> bytes:
        """What claims to be a picture: of at most limits.MEDIA, and not looked into.

        No redirect leads to another origin. Raises like fetch_json.
        """
        answer = await self.get(url, accept="image/*", limit=limits.MEDIA, same_origin=True)
        check_status(answer, self._clock())
        content_type = answer.headers.get("content-type", "")
        if not content_type.lower().startswith("image/"):
            raise Refused("wrong-content-type", f"{answer.url}: {content_type[:100]}")
        return answer.body

    async def _fetch_object(
        self,
        url: str,
        limit: int,
        sign: Sign | None,
        budget: Budget | None,
        *,
        same_origin: bool = False,
    ) -> tuple[dict[str, Any], str]:
        return await self.fetch_json(
            url,
            accept=vocabulary.ACCEPT,
            is_type=documents.is_activity_type,
            same_origin=same_origin,
            limit=limit,
            sign=sign,
            budget=budget,
        )

    def _identifier(self, document: Mapping[str, Any], final: str) -> addresses.Target:
        """The `id` of a document, which must have the origin of the URL where it was found."""
        written = document.get("id")
        if not isinstance(written, str):
            raise Refused("id-missing", final)
        identifier = addresses.check_url(documents.check_id(written), self.policy)
        if not documents.same_origin(identifier.url, final):
            raise Refused("foreign-id", f"{final} says that it is {identifier.url}")
        return identifier

    def _redirected(self, target: addresses.Target, location: str) -> addresses.Target:
        """Where a redirect leads, checked like any URL that a stranger wrote."""
        try:
            joined = urllib.parse.urljoin(target.url, location)
        except ValueError:
            raise Refused("bad-redirect", location[:100]) from None
        hop = addresses.check_url(joined, self.policy)
        if (target.scheme, hop.scheme) == ("https", "http"):
            raise Refused("redirect-downgrade", hop.url)
        elsewhere = (hop.host, hop.port) != (target.host, target.port)
        if elsewhere and self.policy.is_private_peer(hop.host, hop.port):
            raise Refused("redirect-to-private-peer", hop.url)
        return hop

    async def _exchange(
        self,
        method: str,
        target: addresses.Target,
        headers: Mapping[str, str],
        body: bytes,
        limit: int,
        deadline: float,
    ) -> Answer:
        """One request and its answer, which is whole if it is a success of a GET."""
        request = httpcore2.Request(
            method,
            httpcore2.URL(
                scheme=target.scheme.encode("ascii"),
                host=target.host.encode("ascii"),
                port=target.port,
                target=target.path.encode("ascii"),
            ),
            headers=_request_headers(target, self._user_agent, headers, body),
            content=body,
        )
        answer: Answer | None = None
        try:
            async with (
                asyncio.timeout_at(deadline) as time,
                self._connections.lend(target) as connection,
            ):
                response = await connection.handle_async_request(request)
                try:
                    fields = _fields(response)
                    whole = method == "GET" and response.status < 300
                    most = limit if whole else min(limit, limits.ANSWER)
                    if whole:
                        _check_head(fields, limit, target)
                    else:
                        # What more it says no longer matters, nor whether it says it badly, slowly
                        # or at length.
                        answer = Answer(response.status, fields, b"", target.url)
                        if fields.get("content-length") != "0":
                            soon = asyncio.get_running_loop().time() + _DRAIN_TIME
                            time.reschedule(min(soon, deadline))
                    stream = response.extensions["network_stream"]
                    stream.allow(2 * most + _FRAMING, "answer-too-large")
                    content, rest = await _read(response, most)
                    if rest and whole:
                        raise Refused("answer-too-large", target.url)
                finally:
                    await response.aclose()
            return Answer(response.status, fields, content, target.url)
        except (FederationError, TimeoutError, ValueError, *_PROTOCOL_ERRORS) as error:
            if answer is not None:
                return answer
            raise _ours(error, target) from None


def check_status(answer: Answer, now: datetime) -> None:
    """Returns for 200, else raises what the status means to someone who asked for a document."""
    detail = f"{answer.url}: {answer.status}"
    match answer.status:
        case 200:
            return
        case 404:
            raise Gone("not-found", detail)
        case 410:
            raise Gone("gone", detail)
        case 408 | 425 | 429:
            raise Unreachable("busy", detail, retry_after=retry_after(answer, now))
        case status if status >= 500:
            raise Unreachable("server-error", detail, retry_after=retry_after(answer, now))
        case _:
            raise Refused("status-refused", detail)


def retry_after(answer: Answer, now: datetime) -> float | None:
    """The seconds that `Retry-After` asks for (RFC 9110, section 10.2.3), in sensible bounds.

    None where there is none or where it says nothing intelligible.
    """
    value = answer.headers.get("retry-after", "").strip()
    if len(value) > 100 or not value.isascii():
        return None
    if value.isdigit():
        seconds = float(value)
    else:
        try:
            moment = email.utils.parsedate_to_datetime(value)
            if moment.tzinfo is None:
                moment = moment.replace(tzinfo=UTC)
            seconds = (moment - now).total_seconds()
        except (ValueError, TypeError, IndexError, OverflowError):
            return None
    return min(max(seconds, limits.RETRY_AFTER_LEAST), limits.RETRY_AFTER_MOST)


def _request_headers(
    target: addresses.Target, user_agent: str, headers: Mapping[str, str], body: bytes
) -> list[tuple[bytes, bytes]]:
    """All headers of a request. Raises Refused where one cannot be sent."""
    fields = {"host": ("Host", target.authority), "user-agent": ("User-Agent", user_agent)}
    for name, value in headers.items():
        fields[name.lower()] = (name, value)
    # A signature may cover another spelling of the host, but not another host.
    if fields["host"][1].lower() not in (target.authority, f"{target.authority}:{target.port}"):
        raise Refused("host-mismatch", f"{fields['host'][1][:100]} is not {target.authority}")
    if body:
        fields["content-length"] = ("Content-Length", str(len(body)))
    try:
        return [(name.encode("ascii"), value.encode("ascii")) for name, value in fields.values()]
    except UnicodeEncodeError:
        raise Refused("unsendable", "a header is not ASCII") from None


def _fields(response: httpcore2.Response) -> dict[str, str]:
    """The headers of an answer; names in lower case, values of one name joined."""
    fields: dict[str, str] = {}
    for raw_name, raw_value in response.headers:
        name, value = raw_name.decode("ascii").lower(), raw_value.decode("latin-1")
        fields[name] = f"{fields[name]}, {value}" if name in fields else value
    return fields


def _check_head(fields: Mapping[str, str], limit: int, target: addresses.Target) -> None:
    """Refuses a body before it is read, by what its headers say about it."""
    # We asked for the bare bytes. What comes packed all the same may unpack to anything.
    if fields.get("content-encoding", "").strip().lower() not in ("", "identity"):
        raise Refused("content-encoded", f"{target.url}: {fields['content-encoding'][:100]}")
    # The parser has seen to it that this is digits, and not too many.
    if int(fields.get("content-length", "0")) > limit:
        raise Refused("answer-too-large", target.url)


async def _read(response: httpcore2.Response, most: int) -> tuple[bytes, bool]:
    """At most so many bytes of a body, and whether there was more."""
    body = bytearray()
    async with contextlib.aclosing(response.aiter_stream()) as chunks:
        async for chunk in chunks:
            body += chunk
            if len(body) > most:
                return bytes(body[:most]), True
    return bytes(body), False


def _ours(error: Exception, target: addresses.Target) -> FederationError:
    """What the network and the HTTP parser raise, as an error of ours."""
    match error:
        case FederationError():
            return error
        case TimeoutError() | httpcore2.TimeoutException():
            return Unreachable("timeout", target.url)
        case httpcore2.LocalProtocolError():
            return Refused("unsendable", f"{target.url}: {error}")
        case httpcore2.NetworkError():
            return Unreachable("connection-lost", f"{target.url}: {error}")
        case _:
            return Unreachable("bad-http", f"{target.url}: {error}")
