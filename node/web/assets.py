"""The files that pages are dressed with: stylesheets, scripts, favicon and frieze, under an address
that names their content, so that browsers keep them for ever and a change has its own address.

They are read once at start, the commune's colour is put in, and each is compressed ahead of time.
"""

import gzip
import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import PurePosixPath

from node.web import colours

FOR_EVER = "public, max-age=31536000, immutable"

_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".js": "text/javascript; charset=utf-8",
}
# How one file names another: a stylesheet its pictures, a script the scripts it stands on.
_NAMED = re.compile(r"""(?<=url\()[a-z0-9-]+\.[a-z]+(?=\))|(?<=from "\./)[a-z-]+\.js(?=";)""")


@dataclass(frozen=True, slots=True)
class Asset:
    """One file, ready to be sent."""

    name: str  # "site.0123456789ab.css"
    media_type: str
    body: bytes
    compressed: bytes  # gzip; the body itself where that is no smaller


class Assets:
    """All static files of a node, by the name they were written under and by the one they have."""

    def __init__(self, colour: str) -> None:
        """`colour` is the commune's, "#rrggbb"."""
        self._by_name: dict[str, Asset] = {}
        dress = {"--commune": colours.band(colour), "--tint": colours.tint(colour)}
        texts = dict(_sources())

        def made(name: str) -> Asset:
            """The file written as `name`, after those that it names."""
            if name not in self._by_name:
                body = _NAMED.sub(lambda match: made(match[0]).name, _dressed(texts[name], dress))
                self._by_name[name] = _asset(name, body.encode())
            return self._by_name[name]

        for name in texts:
            made(name)
        self._by_address = {asset.name: asset for asset in self._by_name.values()}

    def __getitem__(self, name: str) -> Asset:
        """The file written as `name`."""
        return self._by_name[name]

    def address(self, name: str) -> str:
        """Where the file written as `name` is found."""
        return f"/static/{self._by_name[name].name}"

    def get(self, address: str) -> Asset | None:
        """The file whose last part of the address this is."""
        return self._by_address.get(address)


def _sources() -> Iterator[tuple[str, str]]:
    """Name and text of each file."""
    for item in resources.files("node.web").joinpath("static").iterdir():
        if PurePosixPath(item.name).suffix in _TYPES:
            yield item.name, item.read_text(encoding="utf-8")


def _dressed(text: str, dress: Mapping[str, str]) -> str:
    """The text with the commune's colours where it has the colours of the first design.

    A favicon knows no custom properties, so a plain exchange of values serves both.
    """
    for default, name in (("#0f4c40", "--commune"), ("#9bd8c5", "--tint")):
        text = text.replace(default, dress[name])
    return text


def _asset(name: str, body: bytes) -> Asset:
    stem, suffix = name.rsplit(".", 1)
    digest = hashlib.sha256(body).hexdigest()[:12]
    compressed = gzip.compress(body, 9, mtime=0)
    return Asset(
        name=f"{stem}.{digest}.{suffix}",
        media_type=_TYPES[f".{suffix}"],
        body=body,
        compressed=compressed if len(compressed) < len(body) else body,
    )
