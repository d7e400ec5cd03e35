"""The model as pages: its account, what was live when, and what changed between two versions. Anybody may read them."""
