"""Templates into text."""

from typing import Any

import jinja2

from node import prices
from node.translation import Catalogues, Translator


class Pages:
    """Renders the templates in one language each."""

    def __init__(self, catalogues: Catalogues) -> None:
        self._catalogues = catalogues
        self._environment = jinja2.Environment(
            loader=jinja2.PackageLoader("templates", ""),
            autoescape=True,
            auto_reload=False,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )

    def speak(self, language: str) -> Translator:
        """The translator that pages of this language are written with."""
        return self._catalogues.speak(language)

    def render(self, name: str, language: str, /, **values: Any) -> str:
        """A page."""
        say = self._catalogues.speak(language)
        template = self._environment.get_template(name)
        return template.render(
            _=say, say=say, language=language, unit_price=prices.unit_price, **values
        )
