"""Hours as people type them: read, written back, and refused with a sentence that helps."""

import contextlib
from datetime import date

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from node import errors, hours, hours_typed
from node.model import Hours, Span

TODAY = date(2026, 11, 25)


@pytest.mark.parametrize(
    ("typed", "written"),
    [
        ("lun-ven 9h-12h30 14h-19h; sam 9h-13h", None),
        ("mar–sam 09:00-12:30, 14:00-19:00", "mar-sam 9h-12h30 14h-19h"),
        ("Mon-Fri 9am-5pm, Sat 10:00-13:00", "lun-ven 9h-17h; sam 10h-13h"),
        ("Tue to Sat 9:30am–7pm, closed on Monday", "mar-sam 9h30-19h"),
        ("Monday to Friday: 8.30am to 5.30 p.m.", "lun-ven 8h30-17h30"),
        ("9am-5pm Mon-Fri", "lun-ven 9h-17h"),
        ("12pm-12am Saturday", "sam 12h-24h"),
        ("2-6pm weekdays", "lun-ven 14h-18h"),
        ("Mondays and Tuesdays 9-12", "lun-mar 9h-12h"),
        ("tous les jours 9h-19h, dimanche fermé", "lun-sam 9h-19h"),
        ("TOUS LES JOURS SAUF LE DIMANCHE : 9H – 19H", "lun-sam 9h-19h"),
        ("tlj sauf mercredi 7h-20h", "lun-mar 7h-20h; jeu-dim 7h-20h"),
        ("tlj sauf mer 9h-19h; mer 14h-18h", "lun-mar 9h-19h; mer 14h-18h; jeu-dim 9h-19h"),
        ("every day 8h-20h", "lun-dim 8h-20h"),
        ("daily 8:00-20:00", "lun-dim 8h-20h"),
        ("7j/7 24h/24", "lun-dim 0h-24h"),
        ("24h/24, 7j/7", "lun-dim 0h-24h"),
        ("24/7", "lun-dim 0h-24h"),
        ("24h/24", "lun-dim 0h-24h"),
        ("ouvert jour et nuit", "lun-dim 0h-24h"),
        ("du mardi au samedi de 9h à 12h30 et de 14h à 19h", "mar-sam 9h-12h30 14h-19h"),
        ("ouvert du lundi au vendredi de 9h00 à 18h00, sauf jours fériés",
         "lun-ven 9h-18h; fériés fermé"),
        ("fermé le lundi; mar-dim 8h30–13h", "mar-dim 8h30-13h"),
        ("fermé lundi, mar-dim 9h-19h", "mar-dim 9h-19h"),
        ("ven sam 18h-2h", "ven-sam 18h-2h"),
        ("lun, mer et ven 9 h - 12 h 30; fériés fermé",
         "lun 9h-12h30; mer 9h-12h30; ven 9h-12h30; fériés fermé"),
        ("lun-sam 9h-19h, dimanche et jours fériés fermé", "lun-sam 9h-19h; fériés fermé"),
        ("lun-sam 9h-19h; closed on public holidays", "lun-sam 9h-19h; fériés fermé"),
        ("lun-sam 9h-19h; fériés ouvert", "lun-sam 9h-19h"),
        ("mardi: 9h - midi\nmercredi: 14h - minuit", "mar 9h-12h; mer 14h-24h"),
        ("Tu-Sa 09:00-12:30", "mar-sam 9h-12h30"),
        ("week-end 10h-18h", "sam-dim 10h-18h"),
        ("en semaine 7h-20h", "lun-ven 7h-20h"),
        ("sam-lun 10h-12h", "lun 10h-12h; sam-dim 10h-12h"),
        ("lun 9h-12h 14h-19h mar 9h-12h", "lun 9h-12h 14h-19h; mar 9h-12h"),
        ("lun 9h-12h; lun 14h-18h", "lun 9h-12h 14h-18h"),
        ("lundi 9h–12h/14h–18h", "lun 9h-12h 14h-18h"),
        ("lun 9\u00a0h\u00a030 à 12\u202fh", "lun 9h30-12h"),
        ("lun 9h-12h 12h-14h", "lun 9h-14h"),
        ("lun 0h-24h", "lun 0h-24h"),
        ("lun 0h-23h59", "lun 0h-24h"),
        ("fermé", "fermé"),
    ],
)  # fmt: skip
def test_a_week_is_read(typed: str, written: str | None) -> None:
    found = hours_typed.parse(typed)
    assert hours_typed.write(found) == (written or typed)
    for language in ("fr", "en"):
        assert hours_typed.parse(hours_typed.write(found, language)) == found


def test_it_is_written_in_english_too() -> None:
    found = hours_typed.parse("mar-sam 9h-12h30 18h-2h; fériés fermé")
    assert hours_typed.write(found, "en") == (
        "Tue-Sat 9:00-12:30 18:00-2:00; public holidays closed"
    )


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("", "nothing to read"),
        (" ; ,", "nothing to read"),
        ("bonjour", "'bonjour' is not understood"),
        ("lundi au travail", "'travail' is not understood"),
        ("lun 9h-12h €", "'€' is not understood"),
        ("9h-12h", "the days are missing"),
        ("lun-ven", "the hours are missing"),
        ("lun- 9h-12h", "a day is missing after a dash"),
        ("lun-fériés 9h-12h", "a day is missing after a dash"),
        ("lun 9h", "no closing time after 9h"),
        ("lun 9h-mar", "no closing time after 9h"),
        ("lun 14h-12h", "14h-12h ends before it begins"),
        ("lun 9h-9h", "ends before it begins"),
        ("lun 25h-26h", "no 25h"),
        ("lun 24h30-2h", "no 24h30"),
        ("lun 13pm-14pm", "no 13pm"),
        ("lun 9h-19h; lun 10h-12h", "lun is told twice: 9h-19h and 10h-12h"),
        ("fériés 9h-12h", "day by day, as exceptions"),
        ("fermé dimanche", "when it is closed, and not when it is open"),
        ("lun 9h-10h 10h30-11h 11h30-12h 13h-14h 15h-16h 17h-18h 19h-20h", "at most 6"),
        ("lun 9h-12h " * 200, "longer than 1000 characters"),
        ("\x00", "not understood"),
        ("lun 999999999999h-2h", "not understood"),
    ],
)
def test_what_cannot_be_read_is_said(typed: str, words: str) -> None:
    with pytest.raises(errors.Invalid) as caught:
        hours_typed.parse(typed)
    assert caught.value.code == "bad-hours"
    assert words in caught.value.detail
    assert "lun-ven 9h-12h30" in caught.value.detail
    assert set(caught.value.fields) == {"hours"}


SPANS = st.lists(
    st.tuples(st.integers(0, 1439), st.integers(1, 1199)).map(lambda one: (one[0], sum(one))),
    max_size=4,
)


@given(st.lists(SPANS, min_size=7, max_size=7), st.booleans(), st.sampled_from(["fr", "en"]))
def test_what_is_written_is_read_back(
    week: list[list[tuple[int, int]]], closed_on_holidays: bool, language: str
) -> None:
    spans = [Span(day, *span) for day, spans in enumerate(week) for span in spans]
    told = Hours(hours.tidy_week(spans), (), closed_on_holidays)
    # Spans that touch are made one, which may then last longer than a night is taken to.
    if all(span.closes <= 1440 or span.closes - span.opens < 1200 for span in told.weekly):
        assert hours_typed.parse(hours_typed.write(told, language)) == told


@given(st.text(max_size=60) | st.text(alphabet="lunmarsevdi 0123456789h-:;,à/", max_size=60))
@example("0" * 60)
@example("-" * 60)
def test_anything_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(errors.Invalid):
        assert hours.problem(hours_typed.parse(text)) is None
    with contextlib.suppress(errors.Invalid):
        hours_typed.parse_special(text, TODAY)


@pytest.mark.parametrize(
    ("typed", "written"),
    [
        ("2026-12-24 9h-16h", None),
        ("2026-12-24: 9h-16h", "2026-12-24 9h-16h"),
        ("du 2026-08-01 au 2026-08-15 fermé : congés", None),
        ("du 2026-08-01 au 2026-08-15 fermé: congés", "du 2026-08-01 au 2026-08-15 fermé : congés"),
        ("2026-08-01 - 2026-08-15 closed", "du 2026-08-01 au 2026-08-15 fermé"),
        ("from 2026-08-01 to 2026-08-15 closed", "du 2026-08-01 au 2026-08-15 fermé"),
        ("du 1er au 15 août fermé : congés d'été",
         "du 2027-08-01 au 2027-08-15 fermé : congés d'été"),
        ("du 20 décembre au 3 janvier", "du 2026-12-20 au 2027-01-03 fermé"),
        ("du 28 décembre 2026 au 3 janvier 2027", "du 2026-12-28 au 2027-01-03 fermé"),
        ("24 décembre 9h-12h 14h-16h (veille de Noël)",
         "2026-12-24 9h-12h 14h-16h : veille de Noël"),
        ("le jeudi 24 décembre de 9h à 16h", "2026-12-24 9h-16h"),
        ("le 24/12/2026 de 9h à 16h", "2026-12-24 9h-16h"),
        ("24/11 9h-16h", "2027-11-24 9h-16h"),  # yesterday has been
        ("25/11 9h-16h", "2026-11-25 9h-16h"),
        ("2026-12-25", "2026-12-25 fermé"),
        ("25 December closed", "2026-12-25 fermé"),
        ("11 nov 9h-12h : marché", "2027-11-11 9h-12h : marché"),
        ("2026-12-31 18h-3h : réveillon", None),
        ("2026-08-01 inventaire", "2026-08-01 fermé : inventaire"),
        ("2026-12-24 9h-16h : 3 marchés", None),
    ],
)  # fmt: skip
def test_an_exception_is_read(typed: str, written: str | None) -> None:
    found = hours_typed.parse_special(typed, TODAY)
    assert hours_typed.write_special(found) == (written or typed)
    for language in ("fr", "en"):
        text = hours_typed.write_special(found, language)
        assert hours_typed.parse_special(text, TODAY) == found


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("", "no date"),
        ("hier fermé", "no date at the beginning of 'hier fermé'"),
        ("30/02/2026 fermé", "no such day"),
        ("2026-13-01", "no such day"),
        ("12 brumaire fermé", "no such day"),
        ("29/02 fermé", "no such day"),
        ("le 15", "no such day"),
        ("2026-08-15 au 2026-08-01 fermé", "ends before it begins"),
        ("du 2026-08-01 au 2028-08-15", "longer than a year"),
        ("2026-12-24 25h-26h", "no 25h"),
        ("2026-12-24 14h-12h", "ends before it begins"),
        ("2026-12-24 9h", "no closing time"),
        ("2026-12-24 fermé : " + "x" * 101, "100 characters"),
        ("x" * 1001, "longer than"),
    ],
)
def test_an_exception_that_cannot_be_read_is_said(typed: str, words: str) -> None:
    with pytest.raises(errors.Invalid) as caught:
        hours_typed.parse_special(typed, TODAY)
    assert caught.value.code == "bad-exception"
    assert words in caught.value.detail
