"""Words that mean the same, added to what a query asks for: synonyms.toml beside this file.

A steward adds some in a file of the same name and form in the node's folder. They widen queries,
never the index, so that a change needs no reindexing.
"""

import dataclasses
import functools
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from node import errors, words

FILE_NAME = "synonyms.toml"
FILE_MOST = 1_000_000  # bytes
GROUPS_MOST = 5000
PHRASES_MOST = 20
PHRASE_WORDS_MOST = 5
ALTERNATIVES_MOST = 24  # of one term, so that a query stays small

_PACKAGED = Path(__file__).with_name(FILE_NAME)
_KEYS = ("same", "also")


@dataclass(frozen=True, slots=True)
class Phrase:
    """A word or a few, as written and as the tokens it is looked for by."""

    written: str
    tokens: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Synonyms:
    """What else to look for, by the tokens of what was typed."""

    others: Mapping[tuple[str, ...], tuple[Phrase, ...]]


def load(folder: Path) -> Synonyms:
    """The node's synonyms: those that come with the program, and those of its folder, if any.

    Raises errors.Invalid with a sentence that names the file and the line.
    """
    others = {key: list(phrases) for key, phrases in _packaged().others.items()}
    path = folder / FILE_NAME
    try:
        with path.open("rb") as opened:
            told = opened.read(FILE_MOST + 1)
    except FileNotFoundError:
        return _packaged()
    except OSError as error:
        raise errors.Unusable("synonyms-unreadable", f"{path} cannot be read: {error}") from None
    if len(told) > FILE_MOST:
        raise _invalid(FILE_NAME, f"it is longer than {FILE_MOST // 1000} kB")
    try:
        text = told.decode()
    except UnicodeDecodeError:
        raise _invalid(FILE_NAME, "it is not written in UTF-8") from None
    for key, phrases in parse(text).others.items():
        _extend(others, key, phrases)
    return Synonyms({key: tuple(phrases) for key, phrases in others.items()})


def parse(text: str, source: str = FILE_NAME) -> Synonyms:
    """Reads synonyms from TOML text; `source` names it in messages. Raises errors.Invalid."""
    try:
        tables = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise _invalid(source, f"it is not valid TOML: {error}") from None
    for key in tables:
        if key not in _KEYS:
            raise _invalid(source, f"there is no {key!r} in it, only `same` and `also`", text, key)
    others: dict[tuple[str, ...], list[Phrase]] = {}
    count = 0
    for key in _KEYS:
        for group in _groups(tables.get(key, []), key, text, source):
            count += 1
            if count > GROUPS_MOST:
                raise _invalid(source, f"it holds more than {GROUPS_MOST} groups")
            for one in group if key == "same" else group[:1]:
                _extend(others, one.tokens, group)
                if len(one.tokens) > 1 and " " not in one.written:  # "tire-bouchon": "tirebouchon"
                    _extend(others, ("".join(one.tokens),), group)
    return Synonyms({key: tuple(phrases) for key, phrases in others.items()})


def widen(query: words.Query, synonyms: Synonyms) -> words.Query:
    """The query with each thing's equivalents as alternatives; what was added is in `widened`.

    Several words that mean one thing ("pain au chocolat") are taken together, the longest first.
    """
    terms = list(query.terms)
    widened: list[tuple[str, tuple[str, ...]]] = []
    at = 0
    while at < len(terms):
        length = next(
            (
                length
                for length in range(min(PHRASE_WORDS_MOST, len(terms) - at), 0, -1)
                if tuple(term.word for term in terms[at : at + length]) in synonyms.others
            ),
            0,
        )
        span = slice(at, at + max(length, 1))
        if length:
            others = synonyms.others[tuple(term.word for term in terms[span])]
            terms[span] = [_with(term, others) for term in terms[span]]
            typed = " ".join(term.typed for term in terms[span])
            widened.append((typed, tuple(other.written for other in others)))
        at = span.stop
    return dataclasses.replace(query, terms=tuple(terms), widened=tuple(widened))


def _with(term: words.Term, others: Iterable[Phrase]) -> words.Term:
    ways = dict.fromkeys((*term.alternatives, *(other.tokens for other in others)))
    return dataclasses.replace(term, alternatives=tuple(ways)[:ALTERNATIVES_MOST])


@functools.cache
def _packaged() -> Synonyms:
    return parse(_PACKAGED.read_text(encoding="utf-8"), str(_PACKAGED))


def _groups(groups: object, key: str, text: str, source: str) -> Iterator[list[Phrase]]:
    if not isinstance(groups, list):
        raise _invalid(source, f"`{key}` is not a list of groups", text, key)
    for group in groups:
        if not isinstance(group, list) or not all(isinstance(one, str) for one in group):
            raise _invalid(source, f'{group!r} is not a group such as ["vélo", "bicyclette"]', text)
        if not 2 <= len(group) <= PHRASES_MOST:
            trouble = f"the group {group!r} holds {len(group)} phrases, not 2 to {PHRASES_MOST}"
            raise _invalid(source, trouble, text, *group[:1])
        phrases = [Phrase(one, tuple(words.terms(one))) for one in group]
        for phrase in phrases:
            if not 1 <= len(phrase.tokens) <= PHRASE_WORDS_MOST:
                trouble = f"{phrase.written[:60]!r} is not 1 to {PHRASE_WORDS_MOST} words"
                raise _invalid(source, trouble, text, phrase.written)
        yield phrases


def _extend(
    others: dict[tuple[str, ...], list[Phrase]], key: tuple[str, ...], phrases: Iterable[Phrase]
) -> None:
    """Adds equivalents once each, by their tokens, and never the thing itself."""
    known = others.setdefault(key, [])
    have = {key, *(phrase.tokens for phrase in known)}
    for phrase in phrases:
        if phrase.tokens not in have:
            have.add(phrase.tokens)
            known.append(phrase)


def _invalid(source: str, trouble: str, text: str = "", *said: str) -> errors.Invalid:
    """Names the line where `said` stands, if it is found."""
    place = source
    for word in said:
        for number, line in enumerate(text.splitlines(), 1):
            if word and word in line and not line.lstrip().startswith("#"):
                place = f"{source}, line {number}"
                break
    return errors.Invalid("synonyms-malformed", f"{place}: {trouble}.")
