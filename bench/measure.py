"""What every benchmark prints and reads: the machine, tables, and what a process has used."""

import os
import platform
import sqlite3
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Size:
    """How much is asked for. `rounds` is None where each benchmark takes its own number."""

    rounds: int | None
    activities: int
    listings: int
    france: Path | None  # where a made-up France is kept between runs
    minutes: float | None = None


def fsyncs_per_second(folder: Path, seconds: float = 1.0) -> float:
    """How often 4 KiB can be appended to a file and forced to the disk."""
    path = folder / "fsync.probe"
    count = 0
    with path.open("wb", buffering=0) as handle:
        begun = time.perf_counter()
        while (taken := time.perf_counter() - begun) < seconds:
            handle.write(b"\0" * 4096)
            os.fsync(handle.fileno())
            count += 1
    path.unlink()
    return count / taken


def print_machine(folder: Path) -> None:
    """The machine, and how busy it is already: figures are worth nothing without."""
    print(
        f"{time.strftime('%F %H:%M')}  {os.cpu_count()} cores {platform.machine()}  "
        f"Python {platform.python_version()}  SQLite {sqlite3.sqlite_version}  "
        f"{fsyncs_per_second(folder):,.0f} fsyncs/s in {folder.parent}  "
        f"load {os.getloadavg()[0]:.2f}"
    )


def table(title: str, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Prints a table, its first column to the left and numbers to the right."""
    widths = [max(len(line[i]) for line in (heads, *rows)) for i in range(len(heads))]
    print(f"\n## {title}\n")
    for line in (heads, *rows):
        cells = [line[0].ljust(widths[0])]
        cells += [cell.rjust(width) for cell, width in zip(line[1:], widths[1:], strict=True)]
        print("  ".join(cells).rstrip(), flush=True)


def spread(values: Sequence[float], form: str = ",.0f") -> list[str]:
    """Smallest, median and largest, for a table."""
    return [format(value, form) for value in (min(values), statistics.median(values), max(values))]


def percentile(values: Sequence[float], hundredth: float) -> float:
    """The smallest value that so many hundredths of all do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * hundredth / 100))]


def family(pid: int) -> list[int]:
    """A running process and the processes that it has started, as long as they run."""
    found = [pid]
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in _read(task).split():
            found += family(int(child))
    return found


def _read(path: Path) -> str:
    """What stands in a file of /proc; nothing where the process has ended meanwhile."""
    try:
        return path.read_text()
    except OSError:
        return ""


def cpu_seconds(pid: int) -> float:
    """Processor time of all threads of a running process and of those that it has started: to the
    nanosecond, of those that have ended to the hundredth of a second."""
    ended = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[13:15]
    tasks = [task for one in family(pid) for task in Path(f"/proc/{one}/task").glob("*/schedstat")]
    running = sum(int((_read(task).split() or ["0"])[0]) for task in tasks) / 1e9
    return running + sum(map(int, ended)) / os.sysconf("SC_CLK_TCK")


def memory(pid: int, field: str = "VmRSS") -> float:
    """Resident memory in MiB now, or at most (VmHWM), of a process and of those that it has
    started. What they share counts for each."""
    found = [
        int(line.split()[1]) / 1024
        for one in family(pid)
        for line in _read(Path(f"/proc/{one}/status")).splitlines()
        if line.startswith(f"{field}:")  # not there of one that has just ended
    ]
    if not found:
        raise ValueError(field)
    return sum(found)
