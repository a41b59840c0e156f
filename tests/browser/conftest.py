"""Debian's Chromium, started for each module, and towns with shops for it to visit.

def test_something(visit: Visit) -> None:
    with visit(width=360, script=False) as tab:
        tab.page.goto(f"{town.url}/")
    assert tab.hosts() == {town.authority}
"""

import contextlib
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from node import cli, shops
from node.model import Hours, Span
from node.store import database, places
from node.store import shops as shop_rows
from tests import neighbours
from tests.browser import axe
from tests.neighbours import Town
from tests.skipping import missing

CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip
WHAT = "pages in a browser"
PATIENCE_MS = 1000 * neighbours.PATIENCE
LONG_WORD = "Anticonstitutionnellement" * 4


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """The browser. It is gone before another module begins: as long as it is there, Playwright
    keeps an event loop running in this thread, and no other could (anyio tests need their own).
    """
    if not Path(CHROMIUM).exists():
        missing(WHAT, "there is no Chromium. What helps: apt-get install chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=list(ARGUMENTS), timeout=2 * PATIENCE_MS
        )
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def axe_script() -> str:
    """The accessibility checker."""
    try:
        return axe.install()
    except axe.NpmMissing as error:
        missing(WHAT, str(error))


@pytest.fixture(scope="session")
def w3m() -> str:
    """The text browser."""
    found = shutil.which("w3m")
    if found is None:
        missing(WHAT, "there is no text browser. What helps: apt-get install w3m")
    return found


@dataclass
class Tab:
    """A page of the browser, with every request it made and everything it complained of."""

    page: Any
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    script: bool = True

    def hosts(self) -> set[str]:
        """Whom it asked."""
        return {urlsplit(url).netloc for url in self.requests}

    def follow(self, way: Any) -> None:
        """Taps or clicks on a link or a button, and waits for the page it leads to.

        Else what is read next, or the next tap's own wait, could be taken from the page before.
        """
        with self.page.expect_navigation():
            way.tap() if self.page.viewport_size["width"] < 600 else way.click()

    def overflows(self) -> bool:
        """Whether the page is wider than the window."""
        return bool(self.page.evaluate("document.documentElement.scrollWidth > window.innerWidth"))


Visit = Callable[..., contextlib.AbstractContextManager[Tab]]


@pytest.fixture(scope="module")
def visit(chromium: Any) -> Visit:
    """Opens a tab: of a telephone by default, with script or without, light or dark."""

    @contextlib.contextmanager
    def opened(width: int = 360, *, script: bool = True, theme: str = "light") -> Iterator[Tab]:
        context = chromium.new_context(
            viewport={"width": width, "height": 800},
            java_script_enabled=script,
            color_scheme=theme,
            has_touch=width < 600,
        )
        context.set_default_timeout(PATIENCE_MS)  # what does not come by then does not come
        tab = Tab(context.new_page(), script=script)
        tab.page.on("request", lambda request: tab.requests.append(request.url))
        tab.page.on("console", lambda message: tab.complaints.append(message.text))
        tab.page.on("pageerror", lambda error: tab.complaints.append(str(error)))
        try:
            yield tab
        finally:
            context.close()

    return opened


def run(town: Town, *arguments: str) -> None:
    """A command on a town's node, in this process: many of them take less time so."""
    with contextlib.redirect_stdout(None):
        assert cli.main(["-C", str(town.folder), *arguments]) == 0, arguments


def always_open(town: Town, handle: str) -> None:
    """Gives a shop hours, so that pages have something to say of them at any time."""
    hours = Hours(tuple(Span(day, 0, 1440) for day in range(7)))
    with database.transaction(town.folder) as db:
        shop = shop_rows.get_own(db, handle)
        assert shop is not None
        place = places.get(db, shop.place or "")
        assert place is not None
        draft = shops.ShopDraft(
            handle=handle, name=shop.name, place=place, summary="Miels d’ici.",
            address=shop.address, phone=shop.phone, latitude=shop.latitude,
            longitude=shop.longitude, hours=hours, payments=("cash", "card"), step_free=True,
        )  # fmt: skip
        shops.revise_shop(db, draft, datetime.now(UTC))


@pytest.fixture(scope="session")
def towns(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Town, Town]]:
    """Pessac and Mérignac, which know each other, with shops and listings."""
    pessac, merignac = neighbours.found(["Pessac", "FR-33281"], tmp_path_factory.mktemp("browser"))
    for town, handle, name, place, phone in (
        (pessac, "monteil", "Épicerie du Monteil", "Pessac", "05 36 49 01 35"),
        (pessac, "camponac", "Fleurs de Camponac", "Pessac", "05 36 49 01 34"),
        (merignac, "ruche", "La Ruche d’Arlac", "FR-33281", "05 36 49 01 40"),
    ):
        run(
            town, "shop", "add", handle, "--name", name, "--commune", place, "--phone", phone,
            "--address", "12 rue du Colonel-Fonck", "--lat", "44.801", "--lon", "-0.641",
        )  # fmt: skip
    for town, handle, name, price, *more in (
        (pessac, "monteil", "Miel de lavande, pot de 500 g", "12,50",
         "--quantity", "500", "--unit", "g", "--category", "epicerie.miel",
         "--allergens", "none", "--origin", "France (Pessac)",
         "--description", "Récolté à Pessac.\n</script><script>alert(1)</script>"),
        (pessac, "monteil", "Bougie à la cire d’abeille", "14", "--stock", "0"),
        (pessac, "camponac", "Bouquet de saison", "24"),
        (pessac, "camponac", LONG_WORD, "1"),
        (pessac, "camponac", "Z̷̢̛̛̹͓̘̙̰̱̲̳̮̊̋̌̍̎̏å̷̢̛̛̹͓̘̙̰̱̲̳̮̋̌̍̎̏lgo", "2"),
        (merignac, "ruche", "Miel de châtaignier, pot de 1 kg", "21"),
    ):  # fmt: skip
        run(town, "listing", "add", handle, "--name", name, "--price", price, *more)
    always_open(pessac, "monteil")
    run(
        pessac,
        "news",
        "add",
        "--title",
        "Coupure d’eau",
        "--text",
        LONG_WORD,
        "--urgent-hours",
        "20",
    )
    run(pessac, "news", "add", "--shop", "monteil", "--title", "Dégustation", "--text", "Samedi.")
    day = f"{datetime.now(UTC) + timedelta(days=3):%Y-%m-%d}"
    run(
        pessac, "event", "add", "--title", LONG_WORD, "--start", day, "--rule", "FREQ=DAILY;COUNT=3"
    )
    run(merignac, "event", "add", "--title", "Vide-grenier", "--start", f"{day} 09:00")
    with neighbours.serving([pessac, merignac]):
        neighbours.befriend(pessac, merignac)
        yield pessac, merignac


@pytest.fixture(scope="session")
def pessac(towns: tuple[Town, Town]) -> Town:
    """The town that is visited."""
    return towns[0]
