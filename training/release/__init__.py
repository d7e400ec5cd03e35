"""From a trained model to a released one, and back: gates, signature, pointer, archive."""
