"""The account of a model for people: sections of words, tables and plots, whatever they are then rendered to."""
