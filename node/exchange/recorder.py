"""A second process that writes neighbours' listings down, while a rush of them lasts.

One interpreter does one thing at a time. On a machine with a second processor what arrives is
taken in by the server and written by the recorder (`recording_worker.py`), both at once; on others,
and when nothing comes in a rush, there is none. It holds nothing: what it did not do, because it
could not or because it died, is a row that waits, and the server acts upon it.
"""

import asyncio
import contextlib
import json
import logging
import os
import sys
from collections import deque
from collections.abc import Collection, Sequence
from datetime import datetime
from pathlib import Path

RUSH = 30  # activities at hand at once
RUSHES = 3  # so often in a row, upon which it is worth half a second to start
FLOOD = 80  # or so many, once
IDLE = 30.0  # seconds without a batch, upon which it ends
WITHIN = 60.0  # seconds for one batch
ENDS_WITHIN = 5.0  # seconds, when it is told to
AGAIN_AFTER = 60.0  # seconds, where it ended without being told to

_PROGRAM = Path(__file__).resolve().parent.parent.parent

log = logging.getLogger("echoppe.recorder")


class Recorder:
    """The recorder of one node, if there is one just now.

    `worthwhile`: whether there may be one at all; None where there is a processor for it.
    """

    def __init__(self, folder: Path, *, worthwhile: bool | None = None) -> None:
        self._folder = folder
        self._life: asyncio.Task[None] | None = None
        self._process: asyncio.subprocess.Process | None = None
        self._waiting: deque[asyncio.Future[Collection[int] | None]] = deque()  # None: it ended
        self._idle: asyncio.TimerHandle | None = None
        self._dismissed = False
        self._rushes = 0
        self._not_before = 0.0  # by the loop's clock
        self._worthwhile = _processors() > 1 if worthwhile is None else worthwhile
        self.is_ready = False  # whether there is somebody to hand a batch to

    def gauge(self, at_hand: int) -> None:
        """Starts one where there is much to do, again and again, or very much."""
        self._rushes = self._rushes + 1 if at_hand >= RUSH else 0
        rush = at_hand >= FLOOD or self._rushes >= RUSHES
        if not rush or not self._worthwhile or self._life is not None:
            return
        if asyncio.get_running_loop().time() >= self._not_before:
            self._life = asyncio.create_task(self._live())

    async def record(self, received_ids: Sequence[int], now: datetime) -> Collection[int]:
        """Has listings written; returns which of these rows the server has to see to itself.

        Batches are written in the order in which they are handed over.
        """
        process = self._process
        if not self.is_ready or process is None or process.stdin is None:
            return received_ids
        answer: asyncio.Future[Collection[int] | None] = asyncio.get_running_loop().create_future()
        self._waiting.append(answer)
        line = json.dumps({"now": now.isoformat(), "ids": list(received_ids)})
        process.stdin.write(line.encode("ascii") + b"\n")
        self._postpone_end()
        left = None
        try:
            async with asyncio.timeout(WITHIN):
                left = await answer
        except TimeoutError:
            log.error("the recorder does not answer and is ended")
            with contextlib.suppress(ProcessLookupError):
                process.kill()
        return received_ids if left is None else left

    async def stop(self) -> None:
        """Ends it. What it has in hand it finishes; what it has not begun is left in its rows."""
        self._worthwhile = False
        life = self._life
        if life is None:
            return
        self._dismiss()
        ended, _ = await asyncio.wait([life], timeout=ENDS_WITHIN)
        if not ended and self._process is not None:
            log.error("the recorder does not end and is ended")
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
        await life

    async def _live(self) -> None:
        """From its start to its end."""
        self._dismissed = False
        try:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "node.exchange.recording_worker",
                str(self._folder),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                cwd=_PROGRAM,
            )  # fmt: skip
            await self._hear(self._process)
        except (OSError, ValueError, IndexError):  # none can be started, or it talks nonsense
            log.exception("there is no recorder")
        finally:
            self.is_ready = False
            if not self._dismissed or self._waiting:
                log.error("the recorder ended by itself")
                self._not_before = asyncio.get_running_loop().time() + AGAIN_AFTER
            if self._idle is not None:
                self._idle.cancel()
            while self._waiting:
                answer = self._waiting.popleft()
                if not answer.done():
                    answer.set_result(None)
            if self._process is not None:
                await _see_out(self._process)
            self._process = self._life = None
            self._rushes = 0

    async def _hear(self, process: asyncio.subprocess.Process) -> None:
        """Its answers, until it ends."""
        assert process.stdout is not None
        if not self._worthwhile:  # it was stopped before it began
            self._dismiss()
        if await process.stdout.readline() and not self._dismissed:
            log.info("a recorder has begun")
            self.is_ready = True
            self._postpone_end()
        while line := await process.stdout.readline():
            answer = self._waiting.popleft()
            if not answer.done():
                answer.set_result(frozenset(json.loads(line)))

    def _postpone_end(self) -> None:
        if self._idle is not None:
            self._idle.cancel()
        self._idle = asyncio.get_running_loop().call_later(IDLE, self._dismiss)

    def _dismiss(self) -> None:
        self._dismissed = True
        self.is_ready = False
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.close()


def _processors() -> int:
    if hasattr(os, "sched_getaffinity"):  # those that this process may use
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


async def _see_out(process: asyncio.subprocess.Process) -> None:
    """Returns when a process has ended, and sees to it that it does."""
    if process.stdin is not None:
        process.stdin.close()
    try:
        async with asyncio.timeout(ENDS_WITHIN):
            await process.wait()
    except TimeoutError:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
