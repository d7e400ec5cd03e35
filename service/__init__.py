"""The web service: screens a case, records what it shows, and answers. Never imports `training`."""
