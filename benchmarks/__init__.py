"""Measurements, one file a question. Each prints a ratio table; `make bench` runs explanation, http, start and learners."""
