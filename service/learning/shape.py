"""The shape of a vignette's file (marshmallow): which keys there are, of what kind, and how long a text may be."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from marshmallow import RAISE, Schema, ValidationError, fields, validate

from service.learning.vignette import Ask, Choice, Hindsight, Known, Point, Vignette

FORMAT = 1
PROMISES = ("not_known_is_never_safe", "no_score_without_its_record", "the_explanation_is_the_model")
PARAGRAPH = 600
"""Letters and spaces of a paragraph: about 100 words, as much as a phone shows at once."""

_CODE = validate.Regexp(r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$", error="use small letters, digits and single dashes")


def _text(longest: int, required: bool = True) -> fields.String:
    return fields.String(required=required, validate=validate.Length(3, longest, error=f"write 3 to {longest} letters"))


def _texts(least: int, most: int, longest: int = PARAGRAPH) -> fields.List[str]:
    return fields.List(_text(longest), required=True, validate=_between(least, most))


def _several(schema: type[Schema], least: int, most: int) -> fields.List[Any]:
    return fields.List(fields.Nested(schema), required=True, validate=_between(least, most))


def _between(least: int, most: int) -> validate.Length:
    return validate.Length(least, most, error=f"give {least} to {most}")


class _Strict(Schema):
    class Meta:
        unknown = RAISE


class _Reader(_Strict):
    agency = fields.String(required=True)
    role = _text(200)


class _Agency(_Strict):
    id = fields.String(required=True)
    words = _text(PARAGRAPH)
    features = fields.Dict(keys=fields.String(), values=fields.Raw(), required=True)


class _Choice(_Strict):
    code = fields.String(required=True, validate=_CODE)
    text = _text(150)
    feedback = _text(PARAGRAPH)


class _Ask(_Strict):
    feature = fields.String(required=True)
    agency = fields.String(required=True)
    text = _text(200)
    found = fields.Raw(required=True)
    answer = _text(300)


class _Hindsight(_Strict):
    story = _texts(1, 4)
    counterfactual = _text(PARAGRAPH)


class _Point(_Strict):
    text = _text(300)
    promise = fields.String(validate=validate.OneOf(PROMISES, error=f"use one of {', '.join(PROMISES)}"))
    guidance = _text(300, required=False)


class VignetteSchema(_Strict):
    """A vignette's file: docs/how-to/facilitator.md explains each key."""

    format = fields.Integer(required=True, strict=True, validate=validate.Equal(FORMAT, error=f"use {FORMAT}"))
    code = fields.String(required=True, validate=[_CODE, validate.Length(3, 60, error="write 3 to 60 letters")])
    title = _text(80)
    theme = _text(120)
    source = _text(400)
    synthetic_case = fields.String(load_default="")
    order = fields.Integer(strict=True, load_default=100, validate=validate.Range(1, 999, error="use 1 to 999"))
    story = _texts(2, 6)
    reader = fields.Nested(_Reader, required=True)
    agency = _several(_Agency, 1, 8)
    choice = _several(_Choice, 3, 5)
    ask = _several(_Ask, 3, 8)
    hindsight = fields.Nested(_Hindsight, required=True)
    point = _several(_Point, 2, 5)
    discussion = _texts(2, 5, 300)


_FIXES = {
    "Unknown field.": "there is no such key; remove it or mend its spelling",
    "Missing data for required field.": "is missing; add it",
    "Not a valid string.": "write a text in quotes",
    "Not a valid integer.": "write a whole number",
    "Not a valid list.": "write a list",
    "Not a valid mapping type.": "write a table of answers",
    "Invalid input type.": "write a table",
}


class ShapeRefused(ValueError):
    """A file without the shape of a vignette; `faults` holds one line a fault: key, fix."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("; ".join(faults))
        self.faults = faults


def shaped(raw: Mapping[str, Any]) -> Vignette:
    """The vignette that a file's content tells. Raises `ShapeRefused`."""
    try:
        read: dict[str, Any] = VignetteSchema().load(raw)
    except ValidationError as error:
        messages = error.normalized_messages()  # type: ignore[no-untyped-call]
        raise ShapeRefused([f"{key}: {fix}" for key, fix in _lines("", messages)]) from None
    return Vignette(
        **{key: read[key] for key in ("code", "title", "theme", "source", "synthetic_case", "order")},
        agency=read["reader"]["agency"],
        role=read["reader"]["role"],
        story=tuple(read["story"]),
        known=tuple(Known(row["id"], row["words"], row["features"]) for row in read["agency"]),
        choices=tuple(Choice(**row) for row in read["choice"]),
        asks=tuple(Ask(**row) for row in read["ask"]),
        hindsight=Hindsight(tuple(read["hindsight"]["story"]), read["hindsight"]["counterfactual"]),
        points=tuple(Point(**row) for row in read["point"]),
        discussion=tuple(read["discussion"]),
    )


def _lines(key: str, messages: Any) -> Iterator[tuple[str, str]]:
    if isinstance(messages, Mapping):
        for name, inner in messages.items():
            # Places in lists are counted from one, as a person counts tables in a file.
            step = f"[{name + 1}]" if isinstance(name, int) else f".{name}" if key else str(name)
            yield from _lines(f"{key}{step}", inner)
        return
    for message in messages:
        yield key, _FIXES.get(message, message)
