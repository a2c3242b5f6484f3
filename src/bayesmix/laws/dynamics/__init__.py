"""Loss along training: learning-rate schedules, steps and batch size."""
