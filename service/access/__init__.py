"""Who may ask, and how often: keys with a role, tokens of an identity provider, limits, lock-out."""
