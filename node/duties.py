"""What a listing has to say of the goods before it is public, or sold at a distance, and what
cannot be offered at all: the tables [duties], [alcohol] and [refused] of `law.toml`.

Nothing is written here: who publishes asks `require`, who sells at a distance `missing`.
"""

import functools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from node import categories, errors, words
from node import law as law_file
from node.law import Law
from node.model import Condition, Kind, Offer, Particulars

FIELDS = ("allergens", "origin", "maker", "energy", "strength", "unit")
_WHEN = ("publication", "distance")
_WORD = re.compile(r"[0-9a-z'-]+")
_MEASURE = re.compile(r"[0-9]+(?:x|g|kg|mg|ml|cl|l|mm)?")


class Goods(Protocol):
    """A listing, or the draft of one."""

    @property
    def name(self) -> str:
        """What it is called."""

    @property
    def category(self) -> str | None:
        """Its shelf."""

    @property
    def kind(self) -> Kind:
        """Goods or a service."""

    @property
    def condition(self) -> Condition:
        """How worn it is."""

    @property
    def offers(self) -> tuple[Offer, ...]:
        """The ways to have it."""

    @property
    def particulars(self) -> Particulars:
        """What was said of it."""


@dataclass(frozen=True, slots=True)
class Duty:
    """Something that a listing is to say; `why` by language: "fr", "en"."""

    field: str  # of FIELDS
    distance: bool  # only of what is sold at a distance
    why: Mapping[str, str]
    article: str
    review: bool  # « à faire relire »


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why something cannot be offered at all."""

    id: str
    why: Mapping[str, str]
    article: str


def asked(goods: Goods, law: Law) -> tuple[Duty, ...]:
    """What a listing is to say, each field once: what publication hangs on comes first."""
    if goods.kind is Kind.SERVICE or goods.category is None:
        return ()
    found: dict[str, Duty] = {}
    for when in _WHEN:
        for rule in law.tables["duties"]["rules"]:
            if rule["when"] == when and rule["field"] not in found and _concerns(rule, goods):
                found[rule["field"]] = _duty(rule)
    return tuple(found.values())


def all_of(law: Law) -> tuple[tuple[Duty, tuple[str, ...]], ...]:
    """Every rule with its shelves, in the order of the file: to be read by a lawyer."""
    return tuple((_duty(rule), tuple(rule["shelves"])) for rule in law.tables["duties"]["rules"])


def _duty(rule: Mapping[str, Any]) -> Duty:
    return Duty(
        field=rule["field"],
        distance=rule["when"] == "distance",
        why={"fr": rule["fr"], "en": rule["en"]},
        article=rule["article"],
        review=bool(rule.get("review", False)),
    )


def missing(goods: Goods, at_a_distance: bool, law: Law) -> tuple[Duty, ...]:
    """What a listing does not say and has to: to be public, or, where its shop sells at a
    distance, to be ordered."""
    return tuple(
        duty
        for duty in asked(goods, law)
        if (at_a_distance or not duty.distance) and not _is_said(duty.field, goods)
    )


def _concerns(rule: Mapping[str, Any], goods: Goods) -> bool:
    if not categories.is_on(goods.category, rule["shelves"]):
        return False
    if categories.is_on(goods.category, rule.get("except", ())):
        return False
    if goods.condition not in rule.get("conditions", tuple(Condition)):
        return False
    return not rule.get("words") or bool(set(_words(goods.name)) & set(rule["words"]))


def _is_said(field: str, goods: Goods) -> bool:
    said = goods.particulars
    if field == "allergens":
        return said.allergens is not None
    if field == "strength":
        return said.strength is not None
    if field == "unit":  # each of several choices may hold another amount
        offers = goods.offers
        return len(offers) != 1 or offers[0].unit is not None or offers[0].price_cents is None
    return bool(getattr(said, field))


def is_alcohol(category: str | None, law: Law) -> bool:
    """Whether what stands on this shelf is shown with the words about alcohol."""
    return categories.is_on(category, law.tables["alcohol"]["shelves"])


def alcohol_words(law: Law, language: str) -> Sequence[str]:
    """What is said beside alcohol."""
    table = law.tables["alcohol"]
    return tuple(table["fr" if language == "fr" else "en"])


# --- refused -------------------------------------------------------------------------------------


def refused(name: str, category: str | None, law: Law) -> Refusal | None:
    """Why something of this name cannot be offered; None where it can."""
    table = law.tables["refused"]
    if categories.is_on(category, table["harmless"]):
        return None
    said = _words(name)
    before = table["before"]
    begins = 0
    while begins < len(said) and (said[begins] in before or _MEASURE.fullmatch(said[begins])):
        begins += 1
    starts = [f" {' '.join(said[at:])} " for at in range(begins + 1)]
    for rule in table["rules"]:
        phrases = _phrases(tuple(rule["words"]))
        if any(start.startswith(phrases) for start in starts):
            excuses = _phrases((*table["unless"], *rule.get("unless", ())))
            if not any(excuse in starts[0] for excuse in excuses):
                return Refusal(rule["id"], {"fr": rule["fr"], "en": rule["en"]}, rule["article"])
    return None


def _words(text: str) -> list[str]:
    """The words of a name: folded, singular, an elided one apart ("d'artifice": d', artifice)."""
    found = []
    for word in _WORD.findall(words.fold(text).replace("’", "'")):
        head, quote, rest = word.strip("-").partition("'")
        if quote and len(head) <= 2 and rest:
            found += [f"{head}'", words.singular(rest)]
        elif word.strip("-'"):
            found.append(words.singular(word.strip("-'")))
    return found


@functools.lru_cache(maxsize=100)
def _phrases(texts: tuple[str, ...]) -> tuple[str, ...]:
    """The words of each phrase of a rule, with a blank around: as `refused` looks for them in each
    of ten thousand names of a catalogue."""
    return tuple(f" {' '.join(_words(text))} " for text in texts)


# --- asked by who publishes ----------------------------------------------------------------------


def guessed(name: str, category: str | None, kind: Kind) -> str | None:
    """The shelf of what is to be published: the one named, else the one that its name points at."""
    if category is not None or kind is Kind.SERVICE:
        return category
    found = categories.guess(name)
    return found.id if found else None


def require(goods: Goods, law: Law, before: Goods | None = None) -> None:
    """Raises errors.Invalid for what cannot be public: refused-goods, or incomplete-listing with
    the fields that are missing. What was public before it is changed may lack what it lacked."""
    refusal = None
    if goods.kind is Kind.GOODS and (before is None or goods.name != before.name):
        refusal = refused(goods.name, goods.category, law)
    if refusal is not None:
        detail = f"{refusal.why['en']} ({refusal.article})"
        raise errors.Invalid("refused-goods", detail, fields={"name": detail})
    known = {duty.field for duty in missing(before, False, law)} if before else set()
    lacks = [duty for duty in missing(goods, False, law) if duty.field not in known]
    if lacks:
        raise errors.Invalid(
            "incomplete-listing",
            " ".join(f"{duty.why['en']} ({duty.article})" for duty in lacks),
            fields={duty.field: f"{duty.why['en']} ({duty.article})" for duty in lacks},
        )


def load_law(folder: Path) -> Law:
    """The law of a node, each rule read once. Raises errors.Unusable for one that is mistaken."""
    found = law_file.load(folder)
    check_law(found)
    return found


def check_law(law: Law) -> None:
    """Reads every rule once. Raises errors.Unusable naming what a node's own law.toml mistakes."""
    try:
        for rule in law.tables["duties"]["rules"]:
            where = f"the duty {rule['field']!r}"
            if rule["field"] not in FIELDS or rule["when"] not in _WHEN:
                raise ValueError(f"{where}: field or when is unknown")
            _check_shelves(where, rule["shelves"])
            _check_shelves(where, rule.get("except", []))
            _check_words(where, rule.get("words", []))
            _ = [rule[key] + "" for key in ("fr", "en", "article")]
            _ = [Condition(one) for one in rule.get("conditions", ())]
        _check_shelves("alcohol", law.tables["alcohol"]["shelves"])
        for language in ("fr", "en"):
            _check_words("alcohol", law.tables["alcohol"][language])
        _check_shelves("perishable", law.tables["perishable"]["shelves"])
        table = law.tables["refused"]
        _check_shelves("refused", table["harmless"])
        for name in ("before", "unless"):
            _check_words("refused", table[name])
        for rule in table["rules"]:
            _ = [rule[key] + "" for key in ("id", "fr", "en", "article")]
            _check_words(rule["id"], rule["words"])
            _check_words(rule["id"], rule.get("unless", []))
    except (KeyError, TypeError, ValueError) as error:
        raise errors.Unusable("law-incomplete", f"law.toml mistakes a rule: {error}") from None


def _check_shelves(where: str, told: object) -> None:
    unknown = [shelf for shelf in _check_words(where, told) if categories.get(shelf) is None]
    if unknown:
        raise ValueError(f"{where}: there is no shelf {unknown[0]!r}")


def _check_words(where: str, told: object) -> list[str]:
    """A list of texts. A text in its place would be taken for a list of its letters."""
    if not isinstance(told, list) or not all(isinstance(one, str) and one for one in told):
        raise TypeError(f"{where}: {told!r} is no list of words")
    return told
