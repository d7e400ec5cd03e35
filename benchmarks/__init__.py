"""Measurements, one file or folder a question, each with a ratio table. `make bench`: explanation, http, start and
learners."""
