"""The ``memd`` command: a thin skin over the daemon's verbs.

``main`` is the way in. What a script waits for (piped or ``--json``) goes through ``arguments``, ``verbs``,
``door`` and ``plain``, which import the standard library alone; ``app`` is Typer's half, for people.
"""
