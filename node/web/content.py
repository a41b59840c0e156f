"""A text as an answer: its validator, its compression, and 304 where the reader has it already."""

import gzip
import hashlib
from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import Response

COMPRESS_FROM = 860  # bytes; less fits one packet either way
_LEVEL = 3


def answer(
    request: Request,
    text: str,
    media_type: str,
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    vary: str = "",
) -> Response:
    """A public text: ETag, 304, and gzip where it is accepted and worth it.

    Nothing secret may go this way: what is compressed beside something a stranger chose tells its
    content by its length (BREACH). `vary` names what else the answer depends on.
    """
    body = text.encode()
    said = {
        "Cache-Control": "no-cache",  # kept, and asked about each time
        "Vary": f"{vary}, Accept-Encoding" if vary else "Accept-Encoding",
        **(headers or {}),
    }
    if status == 200:
        etag = f'W/"{hashlib.blake2b(body, digest_size=12).hexdigest()}"'
        said["ETag"] = etag
        if is_known(request.headers.get("if-none-match", ""), etag):
            return Response(None, 304, said)
    if len(body) >= COMPRESS_FROM and accepts_gzip(request.headers.get("accept-encoding", "")):
        body = gzip.compress(body, _LEVEL, mtime=0)
        said["Content-Encoding"] = "gzip"
    return Response(body, status, said, media_type=media_type)


def again(request: Request, page: Response) -> Response:
    """A public text that was answered before; 304 where this reader has it already."""
    etag = page.headers.get("etag", "")
    if etag and is_known(request.headers.get("if-none-match", ""), etag):
        said = {name: page.headers[name] for name in ("cache-control", "vary", "etag")}
        return Response(None, 304, said)
    return page


def private(text: str, *, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A page for one person: kept by nobody and not compressed (BREACH)."""
    said = {"Cache-Control": "no-store", **(headers or {})}
    return Response(text, status, said, media_type="text/html")


def is_known(if_none_match: str, etag: str) -> bool:
    """Whether If-None-Match names this ETag, compared weakly (RFC 9110, 13.1.2)."""
    named = if_none_match.split(",")[:20]
    opaque = etag.removeprefix("W/")
    return any(one.strip().removeprefix("W/") == opaque or one.strip() == "*" for one in named)


def accepts_gzip(accept_encoding: str) -> bool:
    """Whether Accept-Encoding lets gzip through (RFC 9110, 12.5.3)."""
    weights: dict[str, bool] = {}
    for part in accept_encoding.lower().split(",")[:20]:
        name, _, parameter = part.partition(";")
        _, _, weight = parameter.partition("q=")
        weights[name.strip()] = weight.strip() not in ("0", "0.", "0.0", "0.00", "0.000")
    return weights.get("gzip", weights.get("*", False))
