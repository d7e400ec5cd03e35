"""A page as one HTML file that needs nothing else: no script, no font, no address of anything."""

from __future__ import annotations

from html import escape
from itertools import count
from pathlib import Path

from model.account.page import Block, Bullets, Figure, Page, Section, Table
from model.account.svg import svg

WIDE = 4
"""Columns from which a table may be wider than a narrow window."""
STYLE = Path(__file__).with_name("card.css")


def html(page: Page) -> str:
    """The whole document. Everything that comes from a dictionary or a model is escaped."""
    numbers = count(1)
    title = escape(page.title)
    contents = "".join(
        f'<li><a href="#s{place}">{escape(section.title)}</a></li>' for place, section in enumerate(page.sections, 1)
    )
    body = "".join(_section(section, f"s{place}", 2, numbers) for place, section in enumerate(page.sections, 1))
    warnings = "".join(f'<p class="warning" role="note">{escape(one)}</p>' for one in page.warnings)
    return (
        '<!DOCTYPE html>\n<html lang="en-GB">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{title}</title>\n<style>\n{STYLE.read_text(encoding='utf-8')}</style>\n</head>\n<body>\n"
        f'<a class="skip" href="#main">Skip to the card</a>\n<header>{warnings}<h1>{title}</h1>'
        f"<p>{escape(page.lead)}</p></header>\n"
        f'<nav aria-label="Contents"><ol>{contents}</ol></nav>\n<main id="main">\n{body}</main>\n'
        "<footer><p>Made by Grounds from model.json and the gates of its release; the same give the same bytes.</p>"
        "</footer>\n"
        "</body>\n</html>\n"
    )


def _section(section: Section, name: str, level: int, numbers: count[int]) -> str:
    blocks = "".join(_block(block, numbers) for block in section.blocks)
    parts = "".join(
        _section(part, f"{name}-{place}", level + 1, numbers) for place, part in enumerate(section.parts, 1)
    )
    heading = f'<h{level} id="{name}">{escape(section.title)}</h{level}>'
    return f'<section aria-labelledby="{name}">{heading}\n{blocks}{parts}</section>\n'


def _block(block: Block, numbers: count[int]) -> str:
    if isinstance(block, str):
        return f"<p>{escape(block)}</p>\n"
    if isinstance(block, Bullets):
        return f"<ul>{''.join(f'<li>{escape(item)}</li>' for item in block.items)}</ul>\n"
    if isinstance(block, Figure):
        drawn = _scrolled(svg(block.plot, f"p{next(numbers)}"), f"Plot: {block.plot.title}")
        return (
            f'<div class="figure">{drawn}<details open><summary>The same numbers as a table'
            f"</summary>{_table(block.table)}</details></div>\n"
        )
    return _table(block)


def _table(table: Table) -> str:
    heads = "".join(f'<th scope="col">{escape(column)}</th>' for column in table.columns)
    rows = "".join(
        f'<tr><th scope="row">{escape(row[0])}</th>{"".join(f"<td>{escape(cell)}</td>" for cell in row[1:])}</tr>\n'
        for row in table.rows
    )
    caption = f"<caption>{escape(table.caption)}</caption>"
    whole = f"<table>{caption}<thead><tr>{heads}</tr></thead>\n<tbody>{rows}</tbody></table>"
    return _scrolled(whole, f"Table: {table.caption}") if len(table.columns) >= WIDE else whole


def _scrolled(content: str, name: str) -> str:
    """Wide content scrolls by itself, and by keyboard: hence a stop for the Tab key, and none where nothing scrolls."""
    return f'<div class="scroll" tabindex="0" role="group" aria-label="{escape(name)}">{content}</div>\n'
