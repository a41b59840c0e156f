"""Templates into text."""

import functools
from collections.abc import Callable
from typing import Any

import jinja2
from markupsafe import Markup

from node import phrases
from node.translation import Catalogues, Translator


class Pages:
    """Renders the templates in one language each."""

    def __init__(self, catalogues: Catalogues) -> None:
        self._catalogues = catalogues
        self._kept: dict[tuple[str, str], Markup] = {}
        self._environment = jinja2.Environment(
            loader=jinja2.PackageLoader("templates", ""),
            autoescape=True,
            auto_reload=False,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )

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
        template = self._environment.get_template(name)
        counted = functools.partial(phrases.counted, say)
        return template.render(_=say, say=say, counted=counted, language=language, **values)
