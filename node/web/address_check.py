"""Whether the node's own public address leads to it: asked over the network, as anybody would."""

import asyncio
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlsplit

import httpx2

PATIENCE = 10.0  # seconds


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of asking: `trouble` is "" where this very node answered."""

    trouble: str  # "", name, certificate, silent, other
    secure: bool
    expires: datetime | None  # of the certificate


async def ask(origin: str, node_actor: str) -> Answer:
    """Asks the address for its NodeInfo, and whose it is."""
    secure = origin.startswith("https:")
    expires = await _expiry(origin) if secure else None
    try:
        async with httpx2.AsyncClient(timeout=PATIENCE, follow_redirects=False) as client:
            told = await client.get(f"{origin}/nodeinfo/2.1")
            metadata = told.json().get("metadata", {}) if told.status_code == 200 else {}
    except (httpx2.HTTPError, ssl.SSLError) as error:
        said = str(error).lower()
        if "certificate" in said:
            return Answer("certificate", secure, expires)
        return Answer("name" if "name" in said or "resol" in said else "silent", secure, expires)
    except (ValueError, AttributeError):
        return Answer("other", secure, expires)
    ours = isinstance(metadata, dict) and metadata.get("commune") == node_actor
    return Answer("" if ours else "other", secure, expires)


async def _expiry(origin: str) -> datetime | None:
    """Until when the certificate holds, where one is shown that does."""
    parts = urlsplit(origin)
    try:
        async with asyncio.timeout(PATIENCE):
            _, writer = await asyncio.open_connection(
                parts.hostname, parts.port or 443, ssl=ssl.create_default_context()
            )
        shown = writer.get_extra_info("peercert") or {}
        writer.close()
        return datetime.fromtimestamp(ssl.cert_time_to_seconds(shown["notAfter"]), UTC)
    except (OSError, TimeoutError, KeyError, ValueError):
        return None
