"""What can go wrong with another server, by what the caller should do about it.

    FederationError
    ├── Refused       their doing, or against our rules: answer 4xx, never try again
    ├── Unreachable   nobody's doing: try later
    └── Gone          410 or 404 where it counts: forget them

`code` is a short stable name that a program can compare and a log can count. `detail` is for the
operator's log; it never leaves the node, since it may quote what a stranger sent.
"""


class FederationError(Exception):
    """Something about another server. Raised only as one of its three kinds."""

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(f"{code}: {detail}" if detail else code)
        self.code = code
        self.detail = detail


class Refused(FederationError):
    """What they sent or served is not acceptable, and will not be when tried again.

    `status` is the HTTP status that an inbox answers with.
    """

    def __init__(self, code: str, detail: str = "", *, status: int = 400) -> None:
        super().__init__(code, detail)
        self.status = status


class Unreachable(FederationError):
    """They could not be asked, or could not answer: it may be well later.

    `retry_after` is what their `Retry-After` asked for, in seconds, where they sent one.
    """

    def __init__(self, code: str, detail: str = "", *, retry_after: float | None = None) -> None:
        super().__init__(code, detail)
        self.retry_after = retry_after


class Gone(FederationError):
    """They say that it existed and exists no longer (HTTP 410, or 404 at a known address)."""
