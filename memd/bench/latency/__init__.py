"""How long a recall takes and what it costs, over a store of a size."""
