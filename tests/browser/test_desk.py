"""The desk's pages at both widths: nothing sticks out, axe finds nothing, nobody else is asked."""

from tests.browser import axe
from tests.browser.conftest import Visit
from tests.neighbours import Town

PAGES = (
    "/gestion", "/gestion/acces", "/gestion/voisins", "/compte/second-facteur",
    *(f"/gestion/installation/{step}" for step in range(1, 7)),
)  # fmt: skip


def test_the_desk(visit: Visit, towns: tuple[Town, Town], axe_script: str) -> None:
    pessac, merignac = towns
    found = []
    pages = [*PAGES, f"/gestion/voisins/{merignac.authority}",
             f"/gestion/voisins/{merignac.authority}/recommandes"]  # fmt: skip
    for width, theme in ((360, "dark"), (1280, "light")):
        invited = pessac.run("account", "invite", "desk@example.fr", "--role", "steward")
        with visit(width, theme=theme, script=True) as tab:
            tab.page.goto(invited["link"])
            tab.follow(tab.page.locator("main button"))
            tab.page.wait_for_url("**/gestion")
            for path in pages:
                answer = tab.page.goto(f"{pessac.url}{path}")
                assert answer is not None
                if answer.status != 200:
                    found.append(f"{path}: {answer.status}")
                if tab.overflows():
                    found.append(f"{path}: wider than {width}")
                found += [f"{path} {one}" for one in axe.violations(tab.page, axe_script)]
            # What is asked for by a button: looking around, and the drawing of a secret.
            tab.page.goto(f"{pessac.url}/gestion/voisins")
            tab.follow(tab.page.locator("button[value=look]"))
            tab.page.locator(".state.done").first.wait_for()
            found += [f"look {one}" for one in axe.violations(tab.page, axe_script)]
            tab.page.goto(f"{pessac.url}/compte/second-facteur")
            tab.follow(tab.page.locator("button[value=begin]"))
            tab.page.locator("svg.qr").wait_for()
            if tab.overflows():
                found.append(f"the drawing: wider than {width}")
            found += [f"secret {one}" for one in axe.violations(tab.page, axe_script)]
            assert tab.hosts() == {pessac.authority}
    assert found == []
