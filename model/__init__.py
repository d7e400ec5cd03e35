"""The domain: what is served. Standard library only (numpy in `model.columns` alone)."""
