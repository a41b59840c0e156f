"""Templates into text."""

import functools
from collections.abc import Callable, Iterator
from typing import Any

import jinja2
from jinja2.ext import Extension
from jinja2.lexer import Token, TokenStream
from markupsafe import Markup

from node import phrases
from node.translation import Catalogues, Translator
from node.web import card_list


class Pages:
    """Renders the templates in one language each."""

    def __init__(self, catalogues: Catalogues) -> None:
        self._catalogues = catalogues
        self._kept: dict[tuple[str, str], Markup] = {}
        self._environments: dict[str, jinja2.Environment] = {}

    def once(self, name: str, language: str, values: Callable[[], dict[str, Any]]) -> Markup:
        """A part of pages that is the same for everybody, rendered when it is first asked for."""
        key = (name, language)
        if key not in self._kept:
            self._kept[key] = Markup(self.render(name, language, **values()))  # noqa: S704 (rendered)
        return self._kept[key]

    def speak(self, language: str) -> Translator:
        """The translator that pages of this language are written with."""
        return self._catalogues.speak(language)

    def render(self, name: str, language: str, /, **values: Any) -> str:
        """A page."""
        say = self._catalogues.speak(language)
        environment = self._environments.get(say.language)
        if environment is None:
            environment = self._environments[say.language] = _environment(say)
        template = environment.get_template(name)
        counted = functools.partial(phrases.counted, say)
        return template.render(_=say, say=say, counted=counted, language=language, **values)


def _environment(say: Translator) -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("templates", ""),
        autoescape=True,
        auto_reload=False,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.add_extension(_Said)
    environment.globals["card_list"] = card_list.cards
    environment.extend(spoken=say)
    return environment


class _Said(Extension):
    """`_("…")` is read as what it says in the environment's language, when a template is compiled:
    a page has some fifty of them, and a call costs more than what stands around it."""

    def filter_stream(self, stream: TokenStream) -> Iterator[Token]:
        """The tokens of a template, each such call made the one text."""
        say: Translator = self.environment.spoken  # type: ignore[attr-defined]
        before: list[Token] = []
        for token in stream:
            before.append(token)
            if len(before) < 4:
                continue
            name, opening, text, closing = before
            if (
                (name.type, name.value) == ("name", "_")
                and (opening.type, text.type, closing.type) == ("lparen", "string", "rparen")
            ):  # fmt: skip
                yield Token(text.lineno, "string", say(text.value))
                before.clear()
            else:
                yield before.pop(0)
        yield from before
