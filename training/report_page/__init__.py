"""The card of a model as a page to read: one account of it (`page`), rendered as HTML, Markdown and JSON."""
