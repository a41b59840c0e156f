"""The gazetteer: which places exist, how people name them, and which adjoin.

Here are the committed sources (their origin and licences in LICENCES.md), `build.py`, which makes
`places.sqlite` from them, and `names.py`, the spelling that both the file and those who search it
go by. The questions one can put to the file are in `node/store/places.py`, their meaning in
`node/territory.py`.

A wheel carries `places.sqlite` and not the bulky source. A checkout carries the sources, and makes
the file when it is first wanted or when a source or the script has changed since.
"""

from pathlib import Path

from node.gazetteer import sources


def path() -> Path:
    """Where `places.sqlite` is; in a checkout it is made first if it is missing or out of date.

    Two processes may do so at once: each writes a file of its own and moves it into place. Raises
    FileNotFoundError where neither the file nor its source was installed, OSError where the folder
    of a checkout cannot be written.
    """
    if not sources.COMMUNES.exists():
        if not sources.FILE.exists():
            raise FileNotFoundError(f"{sources.FILE} is missing from this installation")
        return sources.FILE
    if sources.stamp(sources.FILE) != sources.fingerprint():
        # Only a checkout comes here, once: whatever else imports this package needs no builder.
        from node.gazetteer import build

        build.build(sources.FILE)
    return sources.FILE
