"""Long work that gives way to short: what a resident waits for goes before what a merchant sent.

Threads of one interpreter take turns, and a search gives its turn up at every row that it reads. So
beside work of a second that never rests, a search of 15 ms takes as long as that work.
"""

import time

WORKED = 0.004  # seconds
RESTS = 0.005


class Pace:
    """Rests a moment whenever it has worked for one; `turn` is called often, between two steps."""

    def __init__(self) -> None:
        self._begun = time.monotonic()

    def turn(self) -> None:
        """Sleeps if it is time to."""
        if time.monotonic() - self._begun > WORKED:
            time.sleep(RESTS)
            self._begun = time.monotonic()
