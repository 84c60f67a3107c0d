"""What can be read off a text without a model: where to cut it, what it names, when it speaks of."""
