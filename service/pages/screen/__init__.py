"""Screen a case: the form that the dictionary makes, and what is sent with it."""
