"""Gists: a few sentences, quoted word for word, that stand for memories about the same."""
