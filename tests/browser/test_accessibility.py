"""axe-core finds nothing on any page of residents, in both themes."""

import pytest

from tests.browser import axe
from tests.browser.conftest import Visit
from tests.browser.test_residents import PAGES, listing_path
from tests.neighbours import Town


@pytest.mark.parametrize(("theme", "width"), [("light", 1280), ("dark", 360)])
def test_axe_finds_nothing(
    visit: Visit, pessac: Town, axe_script: str, theme: str, width: int
) -> None:
    found = []
    with visit(width, theme=theme) as tab:
        for path in (*PAGES, listing_path(pessac, "monteil", "miel")):
            tab.page.goto(f"{pessac.url}{path}")
            if tab.page.locator("details").count():
                tab.page.evaluate(
                    "document.querySelectorAll('details').forEach(d => d.open = true)"
                )
            found += [f"{path} {one}" for one in axe.violations(tab.page, axe_script)]
    assert found == []


def test_axe_finds_what_is_wrong(visit: Visit, pessac: Town, axe_script: str) -> None:
    """So that the test above cannot pass by finding nothing."""
    with visit(360) as tab:
        tab.page.goto(f"{pessac.url}/")
        tab.page.evaluate("document.querySelector('label').remove()")
        assert any(one.startswith("label:") for one in axe.violations(tab.page, axe_script))
