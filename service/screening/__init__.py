"""A screening, from the bytes of a request to the answer, by whichever door it comes in."""
