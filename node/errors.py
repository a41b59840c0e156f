"""What can go wrong inside the node, by what people should be told.

    NodeError
    ├── NotFound    there is no such thing (404)
    ├── Forbidden   it is there, and not for you (403)
    ├── Conflict    it clashes with what is there already (409)
    ├── Invalid     what was typed or configured cannot be used (422; exit status 1)
    ├── TooMany     not now: a bound is reached (429, 503)
    └── Unusable    the node's own folder or file cannot be used as it is (503; exit status 1)

Unwritable is none of these on purpose: a form that takes every NodeError for a mistake in what was
typed must not say so of a full disk.

`code` is a short stable name; pages translate it. `detail` is one plain English sentence for the
command line, for programs that use the API, and for the log.
"""

from collections.abc import Mapping


class NodeError(Exception):
    """Something the node refuses or cannot do. Raised only as one of its kinds."""

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(detail or code)
        self.code = code
        self.detail = detail


class NotFound(NodeError):
    """There is no such thing, or not for the one who asks."""


class Forbidden(NodeError):
    """The one who asks may not do this."""


class Conflict(NodeError):
    """It clashes with what is there already: a taken handle, a closed shop."""


class Invalid(NodeError):
    """What was given cannot be used. `fields` maps a field's name to a sentence about it."""

    def __init__(
        self, code: str, detail: str = "", *, fields: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(code, detail)
        self.fields = dict(fields or {})


class TooMany(NodeError):
    """A bound is reached; `retry_after` is in seconds."""

    def __init__(self, code: str, detail: str = "", *, retry_after: int = 30) -> None:
        super().__init__(code, detail)
        self.retry_after = retry_after


class Unusable(NodeError):
    """The node's folder, key or database cannot be used as it stands."""


class Unwritable(Exception):
    """The disk takes nothing now, full or read-only as it is: nothing was changed (503)."""

    code = "cannot-write"

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail
