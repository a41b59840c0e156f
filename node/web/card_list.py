"""Cards as HTML. Written here and not as a template: a page has twenty, each of some fifteen parts,
and a template looks up, calls and escapes for each of them."""

from collections.abc import Iterable

from markupsafe import Markup, escape

from node.web.cards import Card

_LARGE = ("cards near-cards", "cards large")


def cards(
    found: Iterable[Card], style: str, *, with_shop: bool = True, with_seen: bool = True
) -> Markup:
    """A list of cards, for templates; `style` is its classes."""
    sizes = "(min-width: 60rem) 24rem, 9rem" if style in _LARGE else "7rem"
    parts = [f'<ul class="{style}" role="list">\n']
    for one in found:
        price = one.price
        parts.append(_picture(one, sizes))
        name = _text(one.name)
        if one.href:
            name = f'<a href="{_text(one.href)}">{name}</a>'
        language = f' lang="{_text(one.language)}"' if one.language else ""
        before = f"<span>{_text(price.before)}</span> " if price.before else ""
        amount = f"<strong>{_text(price.amount)}</strong>" if price.amount else ""
        was = ""
        if price.was:
            was = (
                f' <span class="hidden">{_text(price.instead)}</span>'
                f" <s>{_text(price.was)}</s> <b>{_text(price.cut)}</b>"
            )
        unit = f" <span>{_text(price.unit)}</span>" if price.unit else ""
        parts.append(
            f'<h3{language}>{name}</h3>\n<p class="price">{before}{amount}{was}{unit}</p>\n'
        )
        if with_shop:
            parts.append(f"<p>{_text(one.shop)}</p>\n")
        if one.stock:
            stop = ' class="state stop"' if one.sold_out else ""
            parts.append(f"<p{stop}>{_text(one.stock)}</p>\n")
        if one.brought:
            parts.append(f"<p>{_text(one.brought)}</p>\n")
        if with_shop and one.state:
            parts.append(f'<p class="state {one.style}">{_text(one.state)}</p>\n')
        if with_seen or one.remote:
            parts.append(f'<p class="seen">{_text(one.seen)}</p>\n')
        parts.append("</li>\n")
    parts.append("</ul>\n")
    return Markup("".join(parts))  # noqa: S704 (texts are escaped)


def _picture(one: Card, sizes: str) -> str:
    """The beginning of a card: its photo, or an empty shelf."""
    if not one.photo:
        return f'<li class="card"><span class="pic well g{one.ground}"></span>\n'
    address = f"/media/{_text(one.photo)}"
    larger = ""
    if not one.small:
        larger = f' srcset="{address}.320.webp 320w, {address}.800.webp 800w" sizes="{sizes}"'
    return (
        f'<li class="card"><span class="pic"><img src="{address}.320.webp"{larger} alt=""'
        ' width="320" height="320" loading="lazy"></span>\n'
    )


def _text(text: str) -> str:
    """A text as HTML: most has nothing to escape, which is quicker seen than done."""
    if "&" in text or "<" in text or ">" in text or '"' in text or "'" in text:
        return str(escape(text))
    return text
