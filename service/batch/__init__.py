"""Screens files of cases: every row scored and explained, one log entry for the whole job, each row provable.

Needs numpy and pyarrow (`requirements-batch.lock`), which nothing on a request's path does.
"""
