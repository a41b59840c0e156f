"""The commune's colour, corrected until everything written on it and in it can be read.

A commune picks a hue; hue and chroma are kept (OKLCH, B. Ottosson 2020) and lightness moves until
the WCAG 2.2 contrast holds (1.4.6, 7:1): white on the band in both themes, and the lighter tint of
the same hue on both grounds of the dark theme.
"""

import math

RATIO = 7.0
DARK_GROUNDS = ("#141917", "#1f2623")  # paper and stone of the dark theme in site.css
_TINT_LIGHTNESS = 0.83
_TINT_CHROMA = 0.085
_STEP = 0.005

_Rgb = tuple[float, float, float]


def band(colour: str) -> str:
    """The colour itself, or the nearest darker one of its hue that white can be read on."""
    lightness, chroma, hue = _oklch(_rgb(colour))
    found = colour.lower()
    while contrast(found, "#ffffff") < RATIO:
        lightness -= _STEP
        found = _hex(_from_oklch(lightness, chroma, hue))
    return found


def tint(colour: str) -> str:
    """A light colour of the same hue, for links and doors on dark screens."""
    _, chroma, hue = _oklch(_rgb(colour))
    chroma, lightness = min(chroma, _TINT_CHROMA), _TINT_LIGHTNESS
    found = _hex(_from_oklch(lightness, chroma, hue))
    while min(contrast(found, ground) for ground in DARK_GROUNDS) < RATIO:
        lightness += _STEP
        found = _hex(_from_oklch(lightness, chroma, hue))
    return found


def contrast(one: str, other: str) -> float:
    """The contrast ratio of two colours, 1 to 21 (WCAG 2.2, "contrast ratio")."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    red, green, blue = _rgb(colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _rgb(colour: str) -> _Rgb:
    """Linear red, green and blue of "#rrggbb", 0 to 1."""
    red, green, blue = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    return _linear(red), _linear(green), _linear(blue)


def _linear(value: float) -> float:
    return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4


def _hex(colour: _Rgb) -> str:
    encoded = (
        12.92 * value if value <= 0.0031308 else 1.055 * value ** (1 / 2.4) - 0.055
        for value in colour
    )
    return "#" + "".join(f"{round(255 * value):02x}" for value in encoded)


def _oklch(colour: _Rgb) -> tuple[float, float, float]:
    red, green, blue = colour
    long = math.cbrt(0.4122214708 * red + 0.5363325363 * green + 0.0514459929 * blue)
    middle = math.cbrt(0.2119034982 * red + 0.6806995451 * green + 0.1073969566 * blue)
    short = math.cbrt(0.0883024619 * red + 0.2817188376 * green + 0.6299787005 * blue)
    lightness = 0.2104542553 * long + 0.7936177850 * middle - 0.0040720468 * short
    a = 1.9779984951 * long - 2.4285922050 * middle + 0.4505937099 * short
    b = 0.0259040371 * long + 0.7827717662 * middle - 0.8086757660 * short
    return lightness, math.hypot(a, b), math.atan2(b, a)


def _from_oklch(lightness: float, chroma: float, hue: float) -> _Rgb:
    """Linear RGB; chroma is given up where the screen has no such colour, and hue never."""
    lightness = min(1.0, max(0.0, lightness))
    while True:
        a, b = chroma * math.cos(hue), chroma * math.sin(hue)
        long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
        middle = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
        short = (lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
        colour = (
            4.0767416621 * long - 3.3077115913 * middle + 0.2309699292 * short,
            -1.2684380046 * long + 2.6097574011 * middle - 0.3413193965 * short,
            -0.0041960863 * long - 0.7034186147 * middle + 1.7076147010 * short,
        )
        if chroma <= 0 or all(-1e-4 <= value <= 1.0001 for value in colour):
            red, green, blue = (min(1.0, max(0.0, value)) for value in colour)
            return red, green, blue
        chroma = max(0.0, chroma - 0.002)
