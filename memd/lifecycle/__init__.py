"""How alive memories are: activation, retention, tiers, and the pass that keeps the store in step with them."""
