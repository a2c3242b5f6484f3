"""Links: benchmark scores against loss."""
