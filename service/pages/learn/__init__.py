"""The pages of learning mode: the list of training cases, a story with its questions, and its lesson."""
