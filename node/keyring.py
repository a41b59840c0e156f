"""The node's own secret, `node.key`, and what it protects: private keys in the database.

The database alone, in a backup or in the wrong hands, can sign nothing.
"""

import hashlib
import hmac
import os
import secrets
import stat
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from node import errors

FILE_NAME = "node.key"
_NONCE = 12
_SIZE = 32


class Keyring:
    """Wraps and unwraps private keys with AES-256-GCM under the node's secret."""

    def __init__(self, secret: bytes) -> None:
        self._cipher = AESGCM(secret)
        self._mac_key = hmac.digest(secret, b"echoppe mac", hashlib.sha256)

    def wrap(self, name: str, plain: bytes) -> bytes:
        """`plain`, sealed so that it can only be taken for what `name` says."""
        nonce = secrets.token_bytes(_NONCE)
        return nonce + self._cipher.encrypt(nonce, plain, name.encode())

    def unwrap(self, name: str, sealed: bytes) -> bytes:
        """What `wrap` sealed under that name. Raises errors.Unusable for anything else."""
        try:
            return self._cipher.decrypt(sealed[:_NONCE], sealed[_NONCE:], name.encode())
        except (InvalidTag, ValueError):
            raise errors.Unusable(
                "wrong-node-key",
                f"{FILE_NAME} does not fit this database: the key {name} cannot be opened. "
                f"Put the {FILE_NAME} back that was saved with it.",
            ) from None

    def mac(self, purpose: str, text: str) -> bytes:
        """What is kept of a secret that is short enough to be guessed from a plain hash."""
        return hmac.digest(self._mac_key, f"{purpose}\0{text}".encode(), hashlib.sha256)


def create(folder: Path) -> Keyring:
    """Makes `node.key`, readable by its owner only. Raises FileExistsError."""
    secret = secrets.token_bytes(_SIZE)
    descriptor = os.open(folder / FILE_NAME, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as handle:
        handle.write(secret)
        handle.flush()
        os.fsync(handle.fileno())
    return Keyring(secret)


def load(folder: Path) -> Keyring:
    """Opens `node.key`. Raises errors.Unusable when it is missing, loose or not a key."""
    path = folder / FILE_NAME
    try:
        mode = path.stat().st_mode
        secret = path.read_bytes()
    except OSError as error:
        raise errors.Unusable(
            "no-node-key",
            f"{path} cannot be read ({error.strerror}): without it the node cannot sign. "
            "Put it back from where you keep its copy.",
        ) from None
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise errors.Unusable(
            "loose-node-key",
            f"{path} can be read by others. Close it with: chmod 600 {path}",
        )
    if len(secret) != _SIZE:
        raise errors.Unusable("bad-node-key", f"{path} is not a node key ({_SIZE} bytes).")
    return Keyring(secret)
