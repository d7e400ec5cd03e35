"""The Jinja environment of the pages: the design system's macros, our templates, the words, and few filters."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from jinja2 import ChoiceLoader, Environment, FileSystemLoader, PackageLoader, PrefixLoader, Undefined
from markupsafe import Markup

from service.words.topics import Topic, topic

TEMPLATES = Path(__file__).parent / "templates"


def environment() -> Environment:
    """Templates by name: ours as they lie in `templates/`, the design system's under `govuk_frontend_jinja/`.

    Undefined is Jinja's own and not the strict one, which the design system's macros are not written for; missing
    words are an error all the same (`service.words.topics`).
    """
    system = PrefixLoader({"govuk_frontend_jinja": PackageLoader("govuk_frontend_jinja")})
    loader = ChoiceLoader([FileSystemLoader(TEMPLATES), system])
    made = Environment(
        loader=loader, autoescape=True, undefined=Undefined, trim_blocks=True, lstrip_blocks=True, auto_reload=False
    )
    made.globals["made_once"] = MadeOnce(made)
    made.globals["words"] = words
    made.filters["percent"] = percent
    made.filters["share"] = share
    made.filters["moment"] = moment
    made.filters["spaced"] = spaced
    return made


class MadeOnce:
    """Parts of pages that are the same for every visitor, such as an empty form, rendered the first time only."""

    def __init__(self, templates: Environment) -> None:
        self._templates = templates
        self._made: dict[tuple[str, str], Markup] = {}

    def __call__(self, template: str, key: str, **context: object) -> Markup:
        """The part; `key` tells those of one template apart and is never a visitor's text."""
        found = self._made.get((template, key))
        if found is None:
            rendered = self._templates.get_template(template).render(**context)
            found = self._made[template, key] = Markup(rendered)  # noqa: S704  # rendered with autoescape
        return found


def words(name: str) -> Topic:
    """The words of a topic, for templates."""
    return topic(name)


def percent(probability: float) -> str:
    """A probability in per cent, with as many digits as can be told apart: `0.3 %`, `12 %`."""
    share_of_100 = 100 * probability
    if 0 < share_of_100 < 0.1:
        return "under 0.1 %"
    return f"{share_of_100:.1f} %" if share_of_100 < 9.95 else f"{share_of_100:.0f} %"


def share(probability: float) -> str:
    """A probability as cases in a thousand, which most people read more surely than per cent."""
    in_1000 = 1000 * probability
    return "fewer than 1 in 1,000" if in_1000 < 0.95 else f"about {in_1000:,.0f} in 1,000"


def moment(timestamp: str) -> str:
    """An RFC 3339 time as it is read aloud: `23 November 2026, 04:24 UTC`."""
    at = datetime.fromisoformat(timestamp)
    return f"{at.day} {at:%B %Y, %H:%M} UTC"


def spaced(code: str) -> str:
    """A level's code as words: `six_to_eleven_months` is `six to eleven months`."""
    return code.replace("_", " ")
