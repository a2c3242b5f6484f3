"""Laws of other things: attacks, robots, the spread of models."""
