"""The pages: what practitioners, auditors and boards see. Server-rendered, and complete without JavaScript.

A page is a view, which asks the same functions as the API, and a template, which takes its words from `service/words`.
"""
