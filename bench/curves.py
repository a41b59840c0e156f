"""Curves over time, as a file of numbers and as a picture that any browser shows."""

import html
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

WIDTH, PANEL, LEFT, RIGHT, TOP = 760, 104, 120, 18, 40
_INK, _LINE, _RULE = "#222", "#0b6e4f", "#ccc"


@dataclass(frozen=True, slots=True)
class Curve:
    """What is drawn in one panel: a name with its unit, and a value for each moment."""

    name: str
    values: Sequence[float]
    form: str = ",.0f"


def slope(seconds: Sequence[float], values: Sequence[float]) -> float:
    """By how much the values grow in an hour: least squares, 0 for fewer than two moments."""
    middle_x, middle_y = sum(seconds) / len(seconds), sum(values) / len(values)
    spread = sum((x - middle_x) ** 2 for x in seconds)
    if not spread:
        return 0.0
    along = sum((x - middle_x) * (y - middle_y) for x, y in zip(seconds, values, strict=True))
    return along / spread * 3600


def write_csv(path: Path, seconds: Sequence[float], curves: Sequence[Curve]) -> None:
    """One line for each moment."""
    lines = [",".join(["seconds", *(curve.name for curve in curves)])]
    for number, second in enumerate(seconds):
        cells = [f"{second:.1f}", *(f"{curve.values[number]:.6g}" for curve in curves)]
        lines.append(",".join(cells))
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def svg(
    title: str,
    seconds: Sequence[float],
    curves: Sequence[Curve],
    marks: Sequence[tuple[float, str]],
) -> str:
    """A panel for each curve, one below the other over the same time; `marks` are moments with a
    word. Every scale begins at zero, so that a steady line looks steady."""
    height = TOP + PANEL * len(curves) + 30
    last = max(seconds) or 1.0

    def x(second: float) -> float:
        return LEFT + second / last * (WIDTH - LEFT - RIGHT)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" '
        f'font-family="sans-serif" font-size="12" fill="{_INK}">',
        f"<title>{html.escape(title)}</title>",
        f'<rect width="{WIDTH}" height="{height}" fill="#fff"/>',
        f'<text x="12" y="20" font-size="14">{html.escape(title)}</text>',
    ]
    for number, curve in enumerate(curves):
        floor = TOP + PANEL * (number + 1) - 14
        most = max(*curve.values, 1e-9)
        points = " ".join(
            f"{x(second):.1f},{floor - value / most * (PANEL - 30):.1f}"
            for second, value in zip(seconds, curve.values, strict=True)
        )
        parts += [
            f'<path d="M{LEFT} {floor}H{WIDTH - RIGHT}" stroke="{_RULE}"/>',
            f'<text x="12" y="{floor - PANEL // 2 + 4}">{html.escape(curve.name)}</text>',
            f'<text x="{LEFT - 6}" y="{floor - PANEL + 42}" text-anchor="end" font-size="10">'
            f"{format(most, curve.form)}</text>",
            f'<text x="{LEFT - 6}" y="{floor}" text-anchor="end" font-size="10">0</text>',
            f'<polyline points="{points}" fill="none" stroke="{_LINE}" stroke-width="1.5"/>',
        ]
    bottom = TOP + PANEL * len(curves) - 14
    for second, word in marks:
        parts += [
            f'<path d="M{x(second):.1f} {TOP}V{bottom}" stroke="{_RULE}" stroke-dasharray="3 3"/>',
            f'<text x="{x(second) + 3:.1f}" y="{TOP + 2}" font-size="10">'
            f"{html.escape(word)}</text>",
        ]
    for minute in range(0, int(last / 60) + 1, max(1, round(last / 600))):
        parts.append(
            f'<text x="{x(minute * 60):.1f}" y="{bottom + 16}" text-anchor="middle" '
            f'font-size="10">{minute} min</text>'
        )
    return "\n".join([*parts, "</svg>", ""])
