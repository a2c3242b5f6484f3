"""Loss against parameters, tokens and compute."""
