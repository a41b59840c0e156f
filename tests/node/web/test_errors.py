"""What a reader sees when something cannot be had: a page that helps, and repeats nothing."""

import contextlib
from types import SimpleNamespace
from typing import Any, cast

import httpx2
import pytest

from node import clock, errors, settings
from node.courtesy import Residents
from node.store import places
from node.translation import Catalogues
from node.uris import Uris
from node.web import routes
from node.web.assets import Assets
from node.web.opening import Board
from node.web.state import Site
from node.web.templating import Pages

ORIGIN = "https://boutiques.pessac.example"
SETTINGS = f'[node]\nurl = "{ORIGIN}"\nname = "Boutiques de Pessac"\ncommunes = ["FR-33318"]\n'


class Broken:
    """A database that cannot be read."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    async def read(self, *_: Any, **__: Any) -> Any:
        raise self._error

    def version(self) -> int:
        return 1


async def answer(error: Exception, path: str) -> httpx2.Response:
    with contextlib.closing(places.open_places()) as gazetteer:
        commune = places.get(gazetteer, "FR-33318")
    site = SimpleNamespace(
        uris=Uris(ORIGIN),
        settings=settings.parse(SETTINGS),
        database=Broken(error),
        residents=Residents(),
        clock=clock.clock(0),
        pages=Pages(Catalogues()),
        assets=Assets("#0f4c40"),
        board=Board(),
        commune=commune,
        version="0",
        workers=SimpleNamespace(quiet=False),
    )
    transport = httpx2.ASGITransport(
        routes.application(cast(Site, site)), raise_app_exceptions=False
    )
    async with httpx2.AsyncClient(transport=transport, base_url=ORIGIN) as client:
        return await client.get(path)


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("error", "status", "words"),
    [
        (errors.TooMany("too-many", "secret", retry_after=600), 429, "10 min"),
        (errors.Unusable("no-places", "secret"), 503, "très sollicité"),
        (errors.NotFound("unknown", "secret"), 404, "n’existe pas"),
        (errors.Forbidden("no", "secret"), 403, "d’ici"),
        (RuntimeError("secret"), 500, "mal passé"),
    ],
)
async def test_whatever_goes_wrong_the_page_helps(
    error: Exception, status: int, words: str
) -> None:
    page = await answer(error, "/boutiques")
    assert page.status_code == status
    assert words in page.text
    assert "secret" not in page.text
    assert 'rel="stylesheet"' in page.text
    assert page.headers.get("retry-after") == ("600" if status == 429 else None)
    assert "default-src 'none'" in page.headers["content-security-policy"]
    english = await answer(error, "/en/boutiques")
    assert '<html lang="en">' in english.text


@pytest.mark.anyio
async def test_programs_are_answered_in_json() -> None:
    found = await answer(errors.TooMany("too-many", "Later.", retry_after=60), "/api/v1/shops")
    assert found.status_code == 429
    assert found.json()["error"]["code"] == "too-many"
    assert found.headers["retry-after"] == "60"
    broken = await answer(RuntimeError("secret"), "/api/v1/shops")
    assert broken.status_code == 500
    assert "secret" not in broken.text
