"""Post-training: rewards, pass rates and settings of reinforcement learning and preference tuning."""
