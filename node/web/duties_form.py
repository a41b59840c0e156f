"""What the law asks of a listing, on the forms of a merchant: which fields, why, and what is
missing."""

import dataclasses
from dataclasses import dataclass

from node import catalogue, categories, duties, errors
from node.law import Law
from node.model import ENERGY_CLASSES, NOTHING_SAID, Condition, Kind, Listing, Offer, Particulars
from node.translation import Translator
from node.web import listing_form, particulars_form, particulars_said


@dataclass(frozen=True, slots=True)
class Asked:
    """A duty, said."""

    field: str
    label: str
    why: str
    article: str
    distance: bool


@dataclass(frozen=True, slots=True)
class _Named:
    """Enough of a listing to know what is asked of it."""

    name: str
    category: str | None
    kind: Kind
    condition: Condition
    offers: tuple[Offer, ...] = ()
    particulars: Particulars = NOTHING_SAID


def shelved(draft: catalogue.ListingDraft) -> catalogue.ListingDraft:
    """The draft on the shelf that its name points at, where none is named."""
    category = duties.guessed(draft.name, draft.category, draft.kind)
    return dataclasses.replace(draft, category=category)


def asked(
    say: Translator, typed: listing_form.Typed, listing: Listing | None, law: Law
) -> dict[str, Asked]:
    """What is to be said of what stands in a form, by field. Of a new product, what hangs on
    publication alone; of one that is public, what selling it at a distance needs too."""
    kind = Kind.SERVICE if typed.service else Kind.GOODS
    named = _Named(
        typed.name,
        duties.guessed(typed.name, typed.category or None, kind),
        kind,
        Condition(typed.condition) if typed.condition in tuple(Condition) else Condition.NEW,
    )
    return {
        duty.field: _said(say, duty)
        for duty in duties.asked(named, law)
        if listing is not None or not duty.distance
    }


def problems_of(
    error: errors.NodeError, say: Translator, draft: catalogue.ListingDraft, law: Law
) -> dict[str, str]:
    """Why it could not be published or changed, by the field where it is mended."""
    if error.code == "incomplete-listing" and isinstance(error, errors.Invalid):
        return {
            particulars_form.AT[duty.field]: _why(say, duty)
            for duty in duties.missing(draft, False, law)
            if duty.field in error.fields
        }
    if error.code == "refused-goods":
        refusal = duties.refused(draft.name, draft.category, law)
        if refusal is not None:
            why = refusal.why["fr" if say.language == "fr" else "en"]
            return {"name": f"{why} ({refusal.article})"}
    return listing_form.problems_of(error, say)


def rules(say: Translator, law: Law) -> list[tuple[str, str, Asked, bool]]:
    """(what, on which shelves, the duty, whether a lawyer must look) of each rule of law.toml."""
    found = []
    for duty, shelves in duties.all_of(law):
        called = [one for shelf in shelves if (one := categories.get(shelf)) is not None]
        found.append(
            (
                particulars_said.field(say, duty.field),
                ", ".join(one.fr if say.language == "fr" else one.en for one in called),
                _said(say, duty),
                duty.review,
            )
        )
    return found


def lacks(say: Translator, draft: catalogue.ListingDraft | None, law: Law) -> tuple[str, ...]:
    """What a draft lacks to be public, in a word or two each."""
    if draft is None:
        return ()
    return tuple(
        particulars_said.field(say, duty.field)
        for duty in duties.missing(shelved(draft), False, law)
    )


def classes(say: Translator) -> list[tuple[str, str]]:
    """What can be chosen as class of energy."""
    return [("", "—"), *((one, particulars_said.energy(say, one)) for one in ENERGY_CLASSES)]


def _said(say: Translator, duty: duties.Duty) -> Asked:
    label = particulars_said.field(say, duty.field)
    return Asked(duty.field, label, _why(say, duty), duty.article, duty.distance)


def _why(say: Translator, duty: duties.Duty) -> str:
    return duty.why["fr" if say.language == "fr" else "en"]
