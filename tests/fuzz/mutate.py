"""Changes JSON inside a fuzzer's input, so that inputs stay JSON and the reader behind the gate is
reached. Whole values move, go, are doubled or swapped for odd ones; the rest is libFuzzer's."""

import json
import random
from collections.abc import Callable
from typing import Any

_ODD: tuple[Any, ...] = (
    None, True, 0, -1, 2**53, 0.1, 1e300, "", "\u202e", "é" * 200, [], {}, [[]], [{}], {"id": ""},
    "https://away.example/users/fleurs", "https://evil.example/", "https://away.example:443/x",
    "https://[::1]/", "acct:a@away.example", "2026-02-30T00:00:00Z", "9999-12-31T23:59:59Z",
)  # fmt: skip


def mutated(data: bytes, seed: int, most: int, otherwise: Callable[[bytes, int], bytes]) -> bytes:
    """The input with its JSON changed in one to three places, or as libFuzzer would change it."""
    chance = random.Random(seed)
    head, bracket, rest = _split(data)
    try:
        document = json.loads(bracket + rest) if chance.random() < 0.7 else None
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict | list):
        return otherwise(data, most)
    for _ in range(chance.randint(1, 3)):
        _change(document, chance)
    made = head + json.dumps(document, ensure_ascii=chance.random() < 0.5).encode(
        "utf-8", "surrogatepass"
    )
    return made if len(made) <= most else otherwise(data, most)


def _split(data: bytes) -> tuple[bytes, bytes, bytes]:
    """What stands before the JSON, if it begins a line, and the JSON."""
    head, line, rest = data.rpartition(b"\n")
    return head + line, rest[:1], rest[1:]


def _change(document: Any, chance: random.Random) -> None:
    places = _places(document)
    if not places:
        return
    holder, name = chance.choice(places)
    value = holder[name]
    other_holder, other_name = chance.choice(places)
    match chance.randrange(6):
        case 0:
            holder[name] = chance.choice(_ODD)
        case 1:
            holder[name] = json.loads(json.dumps(other_holder[other_name]))
        case 2:
            del holder[name]
        case 3:
            holder[name] = [value, json.loads(json.dumps(other_holder[other_name]))]
        case 4 if isinstance(holder, dict) and isinstance(other_name, str):
            holder[other_name] = json.loads(json.dumps(value))
        case _ if isinstance(value, str) and value:
            at = chance.randrange(len(value))
            piece = chance.choice(("", "\x00", "#", "/", "@", ".", ":", "%2e", "é", value))
            holder[name] = value[:at] + piece + value[at + chance.randrange(2) :]


def _places(document: Any) -> list[tuple[Any, Any]]:
    found: list[tuple[Any, Any]] = []
    unread = [document]
    while unread and len(found) < 500:
        value = unread.pop()
        names = list(value) if isinstance(value, dict) else range(len(value))
        for name in names:
            found.append((value, name))
            if isinstance(value[name], dict | list):
                unread.append(value[name])
    return found
