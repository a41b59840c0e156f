"""What a shop tells of itself is known at its neighbour, and known anew when it changes."""

from pathlib import Path
from typing import Any

from tests import neighbours
from tests.neighbours import eventually


def test_hours_and_payments_of_bordeauxs_shop_are_known_at_pessac(tmp_path: Path) -> None:
    bordeaux, pessac = neighbours.found(["Bordeaux", "Pessac"], tmp_path)
    facts = ("hours", "payments", "step_free", "delivery", "name")

    def known() -> dict[str, Any]:
        (shop,) = pessac.get("/api/v1/shops").json()["shops"]
        return {name: shop[name] for name in facts}

    with neighbours.serving([bordeaux, pessac]):
        bordeaux.run(
            "shop", "add", "ruche", "--name", "La Ruche", "--commune", "Bordeaux",
            "--hours", "mar-sam 9h-12h30 14h-19h; fériés fermé",
            "--closed", "2030-08-01 au 2030-08-15: congés", "--payment", "cash,card",
            "--step-free", "--delivers-to", "Pessac", "--delivery-price", "3,50",
        )  # fmt: skip
        bordeaux.run(
            "listing", "add", "ruche", "--name", "Visite du rucher", "--price", "8", "--service",
            "--no-pick-up", "--delivered", "--category", "epicerie.miel",
        )  # fmt: skip
        neighbours.befriend(bordeaux, pessac)
        (said,) = bordeaux.run("shop", "list")
        assert known() == {name: said[name] for name in facts}
        assert said["hours"]["special"][0]["note"] == "congés"

        (hit,) = pessac.run("search", "rucher", "--near", "Pessac")["rings"][1]["results"]
        (listing,) = bordeaux.run("listing", "list")
        assert hit["uri"] == listing["uri"]

        # A change is delivered, and every fact with it.
        bordeaux.run(
            "shop", "revise", "ruche", "--name", "La Grande Ruche", "--hours", "24/7",
            "--payment", "cheque", "--no-step-free", "--no-delivery",
        )  # fmt: skip
        eventually(lambda: known()["name"] == "La Grande Ruche")
        (said,) = bordeaux.run("shop", "list")
        assert known() == {name: said[name] for name in facts}
        assert known()["payments"] == ["cheque"]
        (shop,) = pessac.get("/api/v1/shops").json()["shops"]
        assert (shop["open_now"], shop["open_until"]) == (True, None)
        eventually(lambda: pessac.run("neighbour", "list")[0]["digest_agrees"])
