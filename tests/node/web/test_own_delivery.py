"""What a shop types about its delivery."""

from pathlib import Path
from typing import Any

import pytest

from node import territory
from node.translation import Catalogues
from node.web import own_delivery
from tests import ground


def test_of_many_names_that_are_no_commune_one_is_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It happens on the writer's thread: spelling two hundred would hold up everybody's writes."""
    asked: list[str] = []
    understand = territory.understand

    def counting(db: Any, text: str, say: Any) -> Any:
        asked.append(text)
        return understand(db, text, say)

    monkeypatch.setattr(territory, "understand", counting)
    typed = own_delivery.Typed(places=",".join(["Pessac", *(f"zzqxw{n}" for n in range(200))]))
    problems: dict[str, str] = {}
    with ground.opened(tmp_path / "node") as db:
        own_delivery._terms(db, typed, Catalogues().speak("en"), problems)
    assert asked == ["Pessac", "zzqxw0"]
    assert "zzqxw0" in problems["places"]
