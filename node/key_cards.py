"""A key card's words, and what they open: for who has an export and no browser.

The same as `node/web/static/vault.js`; a node itself never has the words.
"""

import json
import re
import unicodedata
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC

from node import errors, sealing, shop_keys

ROUNDS = 600_000
FORMAT = "echoppe reservations 1"

_DATA = re.compile(r'<script type="application/json" id="export">(.*?)</script>', re.DOTALL)


def read_words(text: str) -> list[str]:
    """Words as they were typed, without accents, capitals and signs."""
    plain = "".join(
        letter
        for letter in unicodedata.normalize("NFKD", text)
        if not unicodedata.combining(letter)
    )
    return re.findall(r"[a-z]+", plain.lower())


def read_export(text: str) -> dict[str, Any]:
    """What an exported file holds. Raises errors.Invalid for any other file."""
    match = _DATA.search(text)
    try:
        found = json.loads(match[1] if match else text)
    except ValueError:
        found = None
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        raise errors.Invalid("not-an-export", "This is no file of exported reservations.")
    return found


def opened(export: dict[str, Any], words: list[str]) -> list[tuple[str, dict[str, Any] | None]]:
    """Each reservation's code, and what its resident wrote; None for what these words do not open.

    Raises errors.Invalid where they open no card of the file.
    """
    keys: dict[str, bytes] = {}
    for card in export["cards"]:
        keys |= _keys_of(words, export["shop"], card)
    if not keys:
        raise errors.Invalid("wrong-words", "These words open no card of this file.")
    found: list[tuple[str, dict[str, Any] | None]] = []
    for one in export["reservations"]:
        said = None
        if one["key"] in keys:
            info = sealing.for_shop(export["shop"], one["key"], one["listing"], one["id"])
            sealed = sealing.decode(one["sealed"], max(sealing.SIZES) + sealing.OVERHEAD)
            try:
                said = json.loads(sealing.open_sealed(keys[one["key"]], info, sealed))
            except (errors.Invalid, ValueError):
                said = None
        found.append((one["code"], said if isinstance(said, dict) else None))
    return found


def _keys_of(words: list[str], shop: str, card: str) -> dict[str, bytes]:
    """The sealing keys on a card, by their id; none where the words are another's."""
    data = sealing.decode(card, shop_keys.WRAPPED_MOST)
    derive = PBKDF2HMAC(hashes.SHA256(), 32, data[:16], ROUNDS)
    cipher = AESGCM(derive.derive(" ".join(words).encode()))
    try:
        text = cipher.decrypt(data[16:28], data[28:], sealing.bind("echoppe card 1", shop))
    except InvalidTag:
        return {}
    keys = {}
    for one in json.loads(text)["sealing"]:
        der = sealing.decode(one["private"], 100)
        key = serialization.load_der_private_key(der, None)
        if isinstance(key, X25519PrivateKey):
            keys[one["id"]] = key.private_bytes_raw()
    return keys
