"""Memories out of a store and into one: memd's own files, signed or not, and those of other tools."""
