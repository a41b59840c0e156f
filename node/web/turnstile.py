"""Who asks too often, by where they come from: held in memory for an hour and never written."""

from collections import OrderedDict

AT_ONCE = 20  # reservations from one address
AN_HOUR = 20  # and as many more in an hour
REMEMBERED = 10_000  # addresses


class Turnstile:
    """Lets an address through so many times. Times are seconds of a clock that never goes back."""

    def __init__(self) -> None:
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def wait(self, address: str | None, now: float) -> int:
        """Counts one passage; 0, or the seconds after which to come again.

        Nobody is held back whose address is not known, as behind a proxy that does not tell.
        """
        if address is None:
            return 0
        left, then = self._left.get(address, (float(AT_ONCE), now))
        left = min(float(AT_ONCE), left + (now - then) * AN_HOUR / 3600)
        let_through = left >= 1
        self._left[address] = (left - 1 if let_through else left, now)
        self._left.move_to_end(address)
        while len(self._left) > REMEMBERED:
            self._left.popitem(last=False)
        return 0 if let_through else 1 + int((1 - left) * 3600 / AN_HOUR)
