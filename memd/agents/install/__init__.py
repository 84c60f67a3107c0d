"""Writes memd into the files of coding agents, and takes it out again, leaving the rest of each file as it was."""
