"""A QR code of up to 213 bytes, as the path of an SVG: for pages that must do without script.

One size is enough (ISO/IEC 18004: version 10, level M, mask 0). `static/qr.js` is the same for what
may not leave the browser.
"""

SIZE = 57
TEXT_MOST = 213  # bytes
_BLOCKS = (43, 43, 43, 43, 44)  # bytes of data in each
_CHECK = 26  # bytes of correction behind each
_FORMAT, _VERSION = 0x5412, 0x0A4D3  # level M with mask 0; version 10: with their own correction

Grid = list[list[bool]]


def path(text: str) -> str:
    """The dark modules as the `d` of a path, in units of one module from 0, 0."""
    return "".join(
        f"M{x} {y}h1v1h-1z"
        for y, row in enumerate(modules(text))
        for x, dark in enumerate(row)
        if dark
    )


def modules(text: str) -> Grid:
    """Rows of dark and light modules. Raises ValueError for a text that does not fit."""
    stream = _codewords(text.encode())
    dark = [[False] * SIZE for _ in range(SIZE)]
    fixed = [[False] * SIZE for _ in range(SIZE)]

    def put(x: int, y: int, on: bool) -> None:
        dark[y][x], fixed[y][x] = on, True

    def square(cx: int, cy: int, reach: int, light: tuple[int, ...]) -> None:
        for dy in range(-reach, reach + 1):
            for dx in range(-reach, reach + 1):
                if 0 <= cx + dx < SIZE and 0 <= cy + dy < SIZE:
                    put(cx + dx, cy + dy, max(abs(dx), abs(dy)) not in light)

    for at in range(SIZE):  # timing
        put(6, at, at % 2 == 0)
        put(at, 6, at % 2 == 0)
    for cx, cy in ((3, 3), (SIZE - 4, 3), (3, SIZE - 4)):
        square(cx, cy, 4, (2, 4))
    for cx in (6, 28, 50):
        for cy in (6, 28, 50):
            if not fixed[cy][cx] or cx + cy == 34:
                square(cx, cy, 2, (1,))
    for at in range(15):
        on = bool(_FORMAT >> at & 1)
        if at < 6:
            put(8, at, on)
        elif at < 8:
            put(8, at + 1, on)
        elif at == 8:
            put(7, 8, on)
        else:
            put(14 - at, 8, on)
        if at < 8:
            put(SIZE - 1 - at, 8, on)
        else:
            put(8, SIZE - 15 + at, on)
    put(8, SIZE - 8, True)
    for at in range(18):
        on = bool(_VERSION >> at & 1)
        put(SIZE - 11 + at % 3, at // 3, on)
        put(at // 3, SIZE - 11 + at % 3, on)
    bits = (bool(byte >> (7 - bit) & 1) for byte in stream for bit in range(8))
    for pair in range(SIZE - 1, 0, -2):  # two columns at a time, up and down
        right = pair if pair > 6 else pair - 1
        for step in range(SIZE):
            y = SIZE - 1 - step if (right + 1) & 2 == 0 else step
            for x in (right, right - 1):
                if not fixed[y][x]:
                    dark[y][x] = next(bits, False) != ((x + y) % 2 == 0)
    return dark


def _codewords(text: bytes) -> list[int]:
    """Data filled up, in blocks with their correction, interleaved."""
    capacity = sum(_BLOCKS)
    if len(text) > TEXT_MOST:
        raise ValueError("too long for the code")
    whole = 4 << 16 | len(text)  # the mode is half a byte, the length two
    for byte in text:
        whole = whole << 8 | byte
    data = list((whole << 4).to_bytes(len(text) + 3, "big"))
    fill = 0xEC
    while len(data) < capacity:
        data.append(fill)
        fill ^= 0xFD
    blocks = []
    for size in _BLOCKS:
        blocks.append(data[:size])
        data = data[size:]
    checks = [_correction(block) for block in blocks]
    columns = [block[at] for at in range(max(_BLOCKS)) for block in blocks if at < len(block)]
    return columns + [check[at] for at in range(_CHECK) for check in checks]


def _correction(block: list[int]) -> list[int]:
    """Reed-Solomon over GF(256), x^8 + x^4 + x^3 + x^2 + 1."""
    divisor = [0] * (_CHECK - 1) + [1]
    root = 1
    for _ in range(_CHECK):
        divisor = [
            _times(one, root) ^ (divisor[at + 1] if at + 1 < _CHECK else 0)
            for at, one in enumerate(divisor)
        ]
        root = _times(root, 2)
    rest = [0] * _CHECK
    for byte in block:
        factor = byte ^ rest[0]
        rest = [one ^ _times(divisor[at], factor) for at, one in enumerate([*rest[1:], 0])]
    return rest


def _times(a: int, b: int) -> int:
    product = 0
    for at in range(7, -1, -1):
        product = (product << 1) ^ ((product >> 7) * 0x11D) ^ ((b >> at & 1) * a)
    return product
