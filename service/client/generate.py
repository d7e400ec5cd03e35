"""Writes the client: a method for each operation of the contract that takes a key."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from keyword import iskeyword
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent
METHODS = ("get", "post", "put", "patch", "delete")
JSON = "application/json"
_PARAMETER = re.compile(r"\{([a-z_]+)\}")


class ContractError(ValueError):
    """A contract that no client can be made from; one line."""


def client_source(spec: Mapping[str, Any]) -> str:
    """The source of the client of that OpenAPI document. Raises `ContractError`."""
    if not isinstance(spec.get("paths"), dict) or not isinstance(spec.get("info"), dict):
        raise ContractError("not an OpenAPI document; give the answer of GET /openapi.json")
    operations = [
        _method(path, method, operation, shared.get("parameters", []))
        for path, shared in sorted(spec["paths"].items())
        for method, operation in shared.items()
        if method in METHODS and _takes_key(operation, spec)
    ]
    frame = (FOLDER / "frame.py.txt").read_text(encoding="utf-8").replace("@version@", str(spec["info"]["version"]))
    return frame + "\n".join(operations) + (FOLDER / "tail.py.txt").read_text(encoding="utf-8")


def _takes_key(operation: Mapping[str, Any], spec: Mapping[str, Any]) -> bool:
    return any("key" in scheme for scheme in operation.get("security", spec.get("security", [])))


def method_name(path: str, method: str) -> str:
    """`GET /v1/screenings/{screening_id}/response` is `get_screening_response`."""
    parts = [part for part in path.strip("/").split("/") if part != "v1"]
    words = []
    for place, part in enumerate(parts):
        if _PARAMETER.fullmatch(part):
            continue
        followed = place + 1 < len(parts) and _PARAMETER.fullmatch(parts[place + 1])
        words.append(_one_of(part) if followed else part)
    if method == "post" and words and not parts[-1].startswith("{"):
        words[-1] = _one_of(words[-1])
    snake = re.sub(r"(?<=[a-z])(?=[A-Z])|[^A-Za-z0-9]+", "_", "_".join([method, *words]))
    return snake.lower()


def _one_of(word: str) -> str:
    if word.endswith("ies"):
        return word[:-3] + "y"
    return word[:-1] if word.endswith("s") and not word.endswith("ss") else word


def _method(path: str, method: str, operation: Mapping[str, Any], shared: list[Any]) -> str:
    parameters = [one for one in [*shared, *operation.get("parameters", [])] if "name" in one]
    named = {where: [one for one in parameters if one["in"] == where] for where in ("path", "query", "header")}
    bodies = list(operation.get("requestBody", {}).get("content", {}))
    signature = ["self", *(f"{one['name']}: str" for one in named["path"])]
    signature += ["body: Any"] if bodies else []
    optional = [f"{_snake(one['name'])}: Any = None" for one in (*named["query"], *named["header"])]
    signature += ["*", *optional] if optional else []
    call = [f'"{method.upper()}"', _address(path), *_arguments(bodies, named)]
    name = method_name(path, method)
    lines = [f"    def {name}({', '.join(signature)}) -> Any:"]
    if len(lines[0]) > 120:
        lines = [f"    def {name}(", *(f"        {one}," for one in signature), "    ) -> Any:"]
    lines.append(f'        """{operation.get("summary", name)}."""')
    short = f"        return self._call({', '.join(call)})"
    if len(short) > 120:
        short = "\n".join(["        return self._call(", *(f"            {one}," for one in call), "        )"])
    return "\n".join([*lines, short, ""])


def _address(path: str) -> str:
    filled = _PARAMETER.sub(lambda found: "{_part(" + found[1] + ")}", path)
    return f'f"{filled}"' if filled != path else f'"{path}"'


def _arguments(bodies: list[str], named: Mapping[str, list[dict[str, Any]]]) -> Iterator[str]:
    if bodies:
        yield "body=body"
        if bodies[0] != JSON:
            yield f'kind="{bodies[0]}"'
    for where, keyword in (("query", "query"), ("header", "headers")):
        if named[where]:
            pairs = [f'"{one["name"]}": {_snake(one["name"])}' for one in named[where]]
            short = f"{keyword}={{{', '.join(pairs)}}}"
            yield (
                short
                if len(short) <= 105
                else "\n".join([f"{keyword}={{", *(f"{' ' * 16}{pair}," for pair in pairs), f"{' ' * 12}}}"])
            )


def _snake(name: str) -> str:
    """A parameter's name in Python; a word of the language, as `from`, gets a trailing underscore."""
    snake = name.lower().replace("-", "_")
    return f"{snake}_" if iskeyword(snake) else snake
