"""Typer's view of the commands, one module a help panel: options, help texts, examples. No work is done here."""
