"""The result of a screening as a page: prompt, grounds, what is not known, contributions, and what was done."""
