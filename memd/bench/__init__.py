"""Measuring: fixed protocols over public formats, through the same code as every recall."""
