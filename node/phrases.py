"""Turns of phrase that pages are made of: places with their articles, counts, distances, hours and
the age of what is told.

Each takes the translator of the page's language first. Grammar that French has and English has not
stands here, so that the sentences themselves stay in the catalogue.
"""

import re
from datetime import date, datetime

from node.translation import Translator

_NARROW = "\u202f"
_FIXED = "\u00a0"
_ELIDED = re.compile(r"[aeiouàâæéèêëîïôœù]|y[^aeiouàâéèêëîïôù]", re.IGNORECASE)


def of_place(say: Translator, name: str) -> tuple[str, str]:
    """The word before a place and the place after it: "de" Pessac, "d’" Arès, "du" Bouscat.

    An "h" is left alone: which ones are silent is not written anywhere.
    """
    if say.language != "fr":
        return "of ", name
    for article, word in (("Le ", "du "), ("Les ", "des ")):
        if name.startswith(article):
            return word, name.removeprefix(article)
    return ("d’" if _ELIDED.match(name) else "de "), name


def at_place(say: Translator, name: str) -> str:
    """ "à Pessac", "au Bouscat", "aux Mureaux"; "in Pessac"."""
    if say.language != "fr":
        return f"in {name}"
    for article, word in (("Le ", "au "), ("Les ", "aux ")):
        if name.startswith(article):
            return word + name.removeprefix(article)
    return f"à {name}"


def counted(say: Translator, number: int, one: str, many: str) -> str:
    """The one or the other of two sentences already translated, {count} filled in.

    French counts nothing as one: "0 résultat".
    """
    single = number < 2 if say.language == "fr" else number == 1
    return (one if single else many).format(count=grouped(say, number))


def grouped(say: Translator, number: int) -> str:
    """ "12 345" or "12,345"."""
    return f"{number:,}".replace(",", _NARROW if say.language == "fr" else ",")


def distance(say: Translator, km: float) -> str:
    """ "650 m", "1,4 km", "27 km": as exact as a distance between two points on a map is."""
    if km < 1:
        return f"{max(50, round(km * 20) * 50)}{_FIXED}m"
    text = f"{km:.1f}" if km < 3 else f"{km:.0f}"
    return f"{text.replace('.', ',') if say.language == 'fr' else text}{_FIXED}km"


def day(say: Translator, when: date) -> str:
    """ "21 novembre", "1er mai"; "21 November"."""
    months = (
        say("January"), say("February"), say("March"), say("April"), say("May"), say("June"),
        say("July"), say("August"), say("September"), say("October"), say("November"),
        say("December"),
    )  # fmt: skip
    number = "1er" if say.language == "fr" and when.day == 1 else str(when.day)
    return f"{number}{_FIXED}{months[when.month - 1]}"


def weekday(say: Translator, number: int) -> str:
    """The name of a day, 0 being Monday."""
    days = (
        say("Monday"), say("Tuesday"), say("Wednesday"), say("Thursday"), say("Friday"),
        say("Saturday"), say("Sunday"),
    )  # fmt: skip
    return days[number]


def coming_day(say: Translator, when: date, today: date) -> str:
    """ "aujourd’hui", "demain", "jeudi", "le 3 décembre": a day that is near, as people say it."""
    days = (when - today).days
    if days <= 1:
        return say("today") if days <= 0 else say("tomorrow")
    return (
        weekday(say, when.weekday()) if days < 7 else say("on {date}").format(date=day(say, when))
    )


def lasting(say: Translator, minutes: int) -> str:
    """ "30 min", "2 h", "3 jours"."""
    if minutes < 60:
        return f"{minutes}{_FIXED}min"
    if minutes < 24 * 60:
        hours, rest = divmod(minutes, 60)
        return f"{hours}{_FIXED}h" + (f"{_FIXED}{rest:02d}" if rest else "")
    return counted(say, -(-minutes // (24 * 60)), say("{count} day"), say("{count} days"))


def seen(say: Translator, when: datetime, now: datetime, *, on_shelf: bool = True) -> str:
    """How old a piece of information is: "Vu en rayon il y a 2 jours", later its date.

    Both moments are on the same clock. What is done for people rather than sold stands on no shelf.
    """
    days = (now.date() - when.date()).days
    if days > 14:
        dated = day(say, when)
        if when.year != now.year:
            dated = f"{dated} {when.year}"
        return say("Information of {date}").format(date=dated)
    if days <= 0:
        return say("Seen on the shelf today") if on_shelf else say("Confirmed today")
    if days == 1:
        return say("Seen on the shelf yesterday") if on_shelf else say("Confirmed yesterday")
    text = (
        say("Seen on the shelf {count} days ago") if on_shelf else say("Confirmed {count} days ago")
    )
    return text.format(count=days)
