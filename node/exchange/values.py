"""What other nodes tell, made fit to be kept: times that can be true, and text without markup."""

import html
import re
from datetime import datetime, timedelta

from federation import documents
from federation.errors import Refused


def plausible(value: object, now: datetime) -> datetime | None:
    """A time that something can have happened at; None where none is given.

    Raises Refused for one before this century or ahead of every clock: an `updated` of the year
    9999 would be fresher than anything, and could never be changed again.
    """
    moment = documents.timestamp(value)
    if moment is not None and not (moment.year >= 2000 and moment <= now + timedelta(days=1)):
        raise Refused("implausible-time", str(value)[:40])
    return moment


def plain(markup: object) -> str | None:
    """The text of somebody's HTML, without any of its markup."""
    if not isinstance(markup, str):
        return None
    import nh3

    broken = re.sub(r"(?i)<(?:br|/p|/li|/div)\b[^>]{0,100}>", "\n", markup[:20_000])
    return html.unescape(nh3.clean(broken, tags=set()))
