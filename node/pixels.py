"""The sizes of pictures. Apart from all else, so that the photo process need not load the rest."""


def fit(width: int, height: int, side: int) -> tuple[int, int]:
    """The size at which a picture's longest side is at most `side`; never larger than it is."""
    longest = max(width, height)
    if longest <= side:
        return width, height
    return max(1, round(width * side / longest)), max(1, round(height * side / longest))
