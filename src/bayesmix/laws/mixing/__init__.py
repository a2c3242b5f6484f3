"""Loss against the mixture of training data."""
