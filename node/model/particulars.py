"""What the law has a listing say about the goods themselves, as far as somebody said it."""

from dataclasses import dataclass

# Annex II of Regulation (EU) 1169/2011, in its order.
ALLERGENS = (
    "gluten", "crustaceans", "eggs", "fish", "peanuts", "soybeans", "milk", "nuts", "celery",
    "mustard", "sesame", "sulphites", "lupin", "molluscs",
)  # fmt: skip
# Classes of Regulation (EU) 2017/1369; "none": this very product has no such label.
ENERGY_CLASSES = ("A", "B", "C", "D", "E", "F", "G", "none")


@dataclass(frozen=True, slots=True)
class Contact:
    """Who answers for goods: a name, where post arrives, and an e-mail address or a web page."""

    name: str
    postal: str
    electronic: str


@dataclass(frozen=True, slots=True)
class Particulars:
    """What was said about the goods of one listing. Nothing is guessed: what was not said is
    None, or empty where it is text."""

    allergens: tuple[str, ...] | None = None  # of ALLERGENS; () says that there are none
    traces: tuple[str, ...] = ()  # of ALLERGENS: what may be in it unintended
    origin: str = ""  # "France (Gironde)"
    brand: str = ""
    maker: Contact | None = None
    responsible: Contact | None = None  # within the EU, where the maker is not
    warnings: str = ""
    energy: str = ""  # of ENERGY_CLASSES
    eprel: str = ""  # the address of its sheet in the register EPREL
    strength: int | None = None  # alcohol, in tenths of a percent by volume

    def __bool__(self) -> bool:
        """Whether anything was said."""
        return self is not NOTHING_SAID and self != NOTHING_SAID


NOTHING_SAID = Particulars()
