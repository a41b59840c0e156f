"""Who has sent so many requests that failed that the next are refused unread.

A signature costs its reader more than its writer, who need not make a true one. What fails is
therefore counted, and whoever has failed too often is told to come again later, before anything is
read, parsed or fetched. Counted together are the host that a request claims to speak for, and the
address that it came from: neither alone, or somebody else could use up a good server's turn.

Buckets that refill, in memory: they are right again after minutes, whatever happened.
"""

from collections import OrderedDict
from dataclasses import dataclass

from federation import limits


@dataclass(frozen=True, slots=True)
class Allowance:
    """How many failures at once, and how many a second from then on."""

    burst: float
    per_second: float


_Bucket = tuple[str, ...]

OF_PAIR = Allowance(limits.FAILURES_OF_HOST, limits.FAILURES_OF_HOST_PER_SECOND)
OF_ADDRESS = Allowance(limits.FAILURES_OF_ADDRESS, limits.FAILURES_OF_ADDRESS_PER_SECOND)
OF_STRANGERS = Allowance(limits.FAILURES_OF_STRANGERS, limits.FAILURES_OF_STRANGERS_PER_SECOND)


class Penalties:
    """The failures of one server's visitors. Times are seconds of any clock that never goes back.

    `claimed` is a host as a request claims it, unproved. `address` is where the request came from,
    or None where that is not known, as behind a proxy that does not say.
    """

    def __init__(self) -> None:
        # What is left in a bucket, and when that was so. One that is not there is full.
        self._left: OrderedDict[_Bucket, tuple[float, float]] = OrderedDict()
        self._proved: OrderedDict[str, None] = OrderedDict()

    def wait(self, claimed: str, address: str | None, now: float) -> float | None:
        """Seconds after which to come again; None for one who may speak now."""
        waits = [
            (1 - left) / allowance.per_second
            for bucket, allowance in self._buckets(claimed, address)
            if (left := self._now_left(bucket, allowance, now)) < 1
        ]
        return max(waits, default=None)

    def failed(self, claimed: str, address: str | None, now: float) -> None:
        """A request that claimed this failed: bad form, a false signature, a key not to be had."""
        for bucket, allowance in self._buckets(claimed, address):
            self._set(bucket, self._now_left(bucket, allowance, now) - 1, now)

    def proved(self, claimed: str, address: str | None, now: float) -> None:
        """A request was what it claimed: its host is no stranger, and makes up for one failure."""
        self._proved[claimed] = None
        self._proved.move_to_end(claimed)
        while len(self._proved) > limits.PROVED_HOSTS:
            self._proved.popitem(last=False)
        pair = ("pair", claimed, address or "")
        if pair in self._left:
            self._set(pair, self._now_left(pair, OF_PAIR, now) + 1, now)

    def _buckets(self, claimed: str, address: str | None) -> list[tuple[_Bucket, Allowance]]:
        found: list[tuple[_Bucket, Allowance]] = [(("pair", claimed, address or ""), OF_PAIR)]
        if address is not None:
            found.append((("address", address), OF_ADDRESS))
        if claimed not in self._proved:
            found.append((("strangers",), OF_STRANGERS))
        return found

    def _now_left(self, bucket: _Bucket, allowance: Allowance, now: float) -> float:
        left, then = self._left.get(bucket, (allowance.burst, now))
        return min(allowance.burst, left + max(0.0, now - then) * allowance.per_second)

    def _set(self, bucket: _Bucket, left: float, now: float) -> None:
        self._left[bucket] = (max(left, -1.0), now)
        self._left.move_to_end(bucket)
        while len(self._left) > limits.PENALISED:
            self._left.popitem(last=False)
