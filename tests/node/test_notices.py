"""Reports, decisions and appeals as the trade has them."""

import dataclasses
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from node import errors, notices
from node.model import Account, Report
from node.notices import Choice, Target
from node.store import accounts, deeds, hidden, reports
from node.store import notices as rows
from node.store.notices import Decision, Notice
from tests import ground
from tests.ground import NOW, URIS

LATER = NOW + timedelta(hours=3)
STEWARD = "11111111-1111-4111-8111-111111111111"
CHOICE = Choice("hide", "law", "Code de la consommation, article L121-2", "Ce n’est pas vrai.")


def notice(about: str, number: int = 1, **more: Any) -> Notice:
    values: dict[str, Any] = {
        "id": f"{number:064x}", "object": about, "title": "Bouquet", "reason": "deceit",
        "words": "C’est faux.", "name": "Jean", "email": "jean@example.fr", "language": "fr",
        "at": NOW,
    }  # fmt: skip
    return Notice(**{**values, **more})


def target(db: Any, about: str) -> Target:
    found = notices.find_target(db, URIS, about)
    assert found is not None
    return found


def decide(db: Any, about: str, choice: Choice = CHOICE, **more: Any) -> Decision:
    return notices.decide(db, target(db, about), choice, STEWARD, LATER, seen=LATER, **more)


def test_what_an_address_means(tmp_path: Path) -> None:
    with ground.opened(tmp_path) as db:
        shop = ground.open_shop(db)
        one = ground.publish(db, shop)
        remote = ground.remote_shop(db)
        theirs = ground.remote_listing(remote)
        rest = theirs.uri.rpartition("/")[2]
        ground.catalogue.record_remote(db, theirs, NOW)
        for typed in (one.uri, one.url, f"{URIS.origin}/en/@fleurs/autre-{one.id[:8]}#x"):
            assert target(db, typed).object == one.uri
        for typed in (shop.uri, shop.url, "/@fleurs", f"{shop.url}?suite=1"):
            assert target(db, typed).object == shop.uri
        page = f"https://{ground.PEER}/@pains/pain-{rest[:8]}"
        assert target(db, page).object == theirs.uri
        assert not target(db, page).own
        assert target(db, page).acts == ("none", "hide")
        assert target(db, "/regles").kind == "page"
        assert target(db, "/regles").acts == ("none",)
        for typed in (
            "", "https://elsewhere.example/", "javascript:alert(1)", "x" * 600,
            f"https://{ground.PEER}/other", f"{shop.url}/nothing-00000000",
            f"{URIS.origin}.evil.example/@fleurs",
        ):  # fmt: skip
            assert notices.find_target(db, URIS, typed) is None, typed


def test_one_decision_answers_all_that_was_read_and_nothing_that_was_not(tmp_path: Path) -> None:
    with ground.opened(tmp_path) as db:
        one = ground.publish(db, ground.open_shop(db))
        for number in (1, 2):
            assert notices.report(db, notice(one.uri, number), NOW)
        assert not notices.report(db, notice(one.uri, 2), NOW)  # sent twice
        late = notice(one.uri, 3, at=LATER + timedelta(minutes=1))
        notices.report(db, late, LATER)
        decided = decide(db, one.uri)
        assert decided.noticed
        assert [rows.get(db, f"{n:064x}").decision for n in (1, 2, 3)] == [  # type: ignore[union-attr]
            decided.id, decided.id, None,
        ]  # fmt: skip
        assert hidden.exists(db, one.uri)
        (act,) = deeds.find(db, None, 10)
        assert (act.account, act.what, act.object) == (STEWARD, "hide", one.uri)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"act": "burn"}, "act"), ({"act": ""}, "act"), ({"ground": ""}, "ground"),
        ({"basis": ""}, "basis"), ({"basis": "x" * 201}, "basis"), ({"facts": ""}, "facts"),
        ({"facts": "x" * 2001}, "facts"), ({"facts": "a\u202eb"}, "facts"),
    ],
)  # fmt: skip
def test_a_decision_has_reasons(tmp_path: Path, change: dict[str, str], field: str) -> None:
    with ground.opened(tmp_path) as db:
        one = ground.publish(db, ground.open_shop(db))
        before = ground.contents(db)
        with pytest.raises(errors.Invalid) as refused:
            decide(db, one.uri, dataclasses.replace(CHOICE, **change))
        assert set(refused.value.fields) == {field}
        assert ground.contents(db) == before


def test_a_flag_is_closed_once_each_object_was_decided_on(tmp_path: Path) -> None:
    with ground.opened(tmp_path) as db:
        shop = ground.open_shop(db)
        one = ground.publish(db, shop)
        flag = Report("f", "https://a.example/f", "https://a.example/u", "a.example",
                      (one.uri, shop.uri), "faux", NOW)  # fmt: skip
        reports.add(db, flag)
        decide(db, one.uri)
        assert reports.count_open(db) == 1
        decide(db, shop.uri, dataclasses.replace(CHOICE, act="none"))
        assert reports.count_open(db) == 0


def test_a_flood_ends_at_its_bounds(tmp_path: Path) -> None:
    with ground.opened(tmp_path) as db:
        for number in range(notices.OPEN_ABOUT_MOST):
            notices.report(db, notice("/a", number), NOW)
        with pytest.raises(errors.TooMany):
            notices.report(db, notice("/a", 999), NOW)
        for number in range(notices.AN_HOUR_MOST - notices.OPEN_ABOUT_MOST):
            notices.report(db, notice(f"/{number}", 1000 + number), NOW)
        with pytest.raises(errors.TooMany):
            notices.report(db, notice("/b", 5000), NOW)
        notices.report(db, notice("/b", 5000), NOW + timedelta(hours=2))


def test_each_side_appeals_once_and_in_time(tmp_path: Path) -> None:
    with ground.opened(tmp_path) as db:
        accounts.add(db, Account(STEWARD, "nadia@example.fr", NOW))
        one = ground.publish(db, ground.open_shop(db))
        notices.report(db, notice(one.uri), NOW)
        decided = decide(db, one.uri)
        with pytest.raises(errors.Invalid):
            notices.appeal(db, decided.id, "", "", LATER)
        over = LATER + notices.APPEAL_WITHIN + timedelta(seconds=1)
        with pytest.raises(errors.NotFound):
            notices.appeal(db, decided.id, "", "Trop tard.", over)
        for side in ("", f"{1:064x}"):
            notices.appeal(db, decided.id, side, "Non.", LATER)
            with pytest.raises(errors.NotFound):
                notices.appeal(db, decided.id, side, "Non, non.", LATER)
        ours, theirs = rows.find_open_appeals(db, 10)
        if ours.notice:
            ours, theirs = theirs, ours
        notices.answer(db, URIS, ours, "changed", "C’est vrai.", STEWARD, LATER)
        assert not hidden.exists(db, one.uri)
        with pytest.raises(errors.Conflict):
            notices.answer(db, URIS, ours, "kept", "Autre avis.", STEWARD, LATER)
        notices.answer(db, URIS, theirs, "changed", "À revoir.", STEWARD, LATER)
        (again,) = rows.find_open(db, 10)
        assert again.id == f"{1:064x}"
        lifted = rows.get_decision(db, decided.id)
        assert lifted is not None
        assert lifted.lifted is not None


def test_nothing_to_appeal_for_a_shop_where_nothing_was_done(tmp_path: Path) -> None:
    with ground.opened(tmp_path) as db:
        one = ground.publish(db, ground.open_shop(db))
        decided = decide(db, one.uri, dataclasses.replace(CHOICE, act="none"))
        assert not notices.may_appeal(db, decided, "", LATER)


def test_who_reported_is_forgotten_and_counted_on(tmp_path: Path) -> None:
    with ground.opened(tmp_path) as db:
        one = ground.publish(db, ground.open_shop(db))
        notices.report(db, notice(one.uri), NOW)
        notices.report(db, notice("/regles", 2), NOW)  # nobody has decided on it
        decide(db, one.uri)
        notices.prune(db, LATER + notices.FORGOTTEN_AFTER)
        kept = rows.get(db, f"{1:064x}")
        assert kept is not None
        assert kept.words == "C’est faux."
        notices.prune(db, LATER + notices.FORGOTTEN_AFTER + timedelta(seconds=1))
        kept, other = rows.get(db, f"{1:064x}"), rows.get(db, f"{2:064x}")
        assert kept is not None
        assert (kept.words, kept.name, kept.email) == ("", "", "")
        assert other is not None
        assert other.words
        year = rows.year(db, 2026)
        assert year.notices == 2
        assert year.acts == (("hide", 1),)
        assert year.median_hours == pytest.approx(3)
        assert rows.years(db) == [2026]
        notices.prune(db, LATER + notices.DEEDS_KEPT + timedelta(seconds=1))
        assert deeds.find(db, None, 10) == []


def test_a_correction_is_seen_however_fast_it_came(tmp_path: Path) -> None:
    """Times have seconds only: what is changed in the second of the decision was changed since."""
    with ground.opened(tmp_path) as db:
        shop = ground.open_shop(db)
        one = ground.publish(db, shop)
        decided = decide(db, one.uri, dataclasses.replace(CHOICE, act="correct"))
        assert notices.changed_since(db, URIS, decided) is None
        ground.revise(db, shop, one, ground.draft("Bouquet rond", *one.offers), LATER)
        assert notices.changed_since(db, URIS, decided) == decided.at
        (kept,) = rows.find_corrections(db, 9)
        assert notices.changed_since(db, URIS, kept) == decided.at
