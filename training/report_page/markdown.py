"""A page as Markdown: the same words and every number, with tables where the HTML has plots as well."""

from __future__ import annotations

import re

from model.account.page import Block, Bullets, Figure, Page, Section, Table

SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|!~&])")


def markdown(page: Page) -> str:
    """The whole document. Text is escaped, so that no label of a dictionary can be markup."""
    lines = [*(f"> **{text(one)}**\n" for one in page.warnings), f"# {text(page.title)}\n", f"{text(page.lead)}\n"]
    for section in page.sections:
        lines += _section(section, 2)
    return "\n".join(lines).rstrip("\n") + "\n"


def text(plain: str) -> str:
    """Plain text as it stands in a paragraph or a cell, on one line."""
    return SPECIAL.sub(r"\\\1", " ".join(plain.split()))


def _section(section: Section, level: int) -> list[str]:
    lines = [f"{'#' * level} {text(section.title)}\n"]
    for block in section.blocks:
        lines += _block(block)
    for part in section.parts:
        lines += _section(part, level + 1)
    return lines


def _block(block: Block) -> list[str]:
    if isinstance(block, str):
        return [f"{text(block)}\n"]
    if isinstance(block, Bullets):
        return [*(f"- {text(item)}" for item in block.items), ""]
    return _table(block.table if isinstance(block, Figure) else block)


def _table(table: Table) -> list[str]:
    rows = [_row(table.columns), "|" + " --- |" * len(table.columns), *map(_row, table.rows)]
    return [f"**{text(table.caption)}**\n", *rows, ""]


def _row(cells: tuple[str, ...]) -> str:
    return f"| {' | '.join(map(text, cells))} |"
