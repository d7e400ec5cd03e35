"""Tables of two features together: what they hold, promise, and change about gaps and pooling."""
