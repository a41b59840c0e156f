"""The URL table finds what trying each route in turn would find."""

import re

import pytest
from starlette.convertors import register_url_convertor
from starlette.routing import Match, Route

from node.web import routes
from node.web.table import Table

register_url_convertor("count", routes._Count())
PAGES = (*routes._PEOPLE, *routes._SIGNED_IN, *routes._WRITTEN)
PARTS = [
    *(
        (
            prefix,
            [
                Route(prefix + path, handler, methods=list(methods))
                for path, handler, methods in PAGES
            ],
        )
        for prefix in ("", "/en", "/de")
    ),
    ("", routes._programs()),
]
FLAT = [route for _, part in PARTS for route in part]
TABLES = [Table(prefix, part) for prefix, part in PARTS]


def _scope(path: str, method: str) -> dict[str, object]:
    return {"type": "http", "path": path, "root_path": "", "method": method}


def _tried_in_turn(path: str, method: str) -> tuple[Match, str | None]:
    best: tuple[Match, str | None] = Match.NONE, None
    for route in FLAT:
        match, _ = route.matches(_scope(path, method))
        if match is Match.FULL:
            return match, route.path
        if match is Match.PARTIAL and best[1] is None:
            best = match, route.path
    return best


def _by_table(path: str, method: str) -> tuple[Match, str | None]:
    best: tuple[Match, str | None] = Match.NONE, None
    for table in TABLES:
        match, child_scope = table.matches(_scope(path, method))
        found = child_scope["route"].path if child_scope else None
        if match is Match.FULL:
            return match, found
        if match is Match.PARTIAL and best[1] is None:
            best = match, found
    return best


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_each_address_leads_where_it_led(method: str) -> None:
    addresses = {
        re.sub(r"\{[a-z]+\}", filling, re.sub(r"\{[a-z]+:count\}", "12", route.path))
        for route in FLAT
        for filling in ("instance", "Un-Étal_9", "ajouter")
    }
    assert len(addresses) > 500
    for address in addresses:
        assert _by_table(address, method) == _tried_in_turn(address, method), address
        assert _by_table(address, method)[0] is not Match.NONE


@pytest.mark.parametrize(
    "path",
    ["", "/en", "/enrayon/x", "//", "/Recherche", "/recherche/", "/users", "/xyz", "/en/xyz", "*"],
)
def test_a_wrong_address_leads_nowhere(path: str) -> None:
    assert _tried_in_turn(path, "GET") == (Match.NONE, None)
    assert _by_table(path, "GET") == (Match.NONE, None)
