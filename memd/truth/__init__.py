"""What contradicts what, and what says the same: found by rules, without a model."""
