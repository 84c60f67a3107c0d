"""The `memd` command as its users run it: a process with arguments, streams and an exit code."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from fcntl import ioctl
from pathlib import Path
from termios import TIOCSWINSZ
from typing import Any

COMMAND = [sys.executable, "-m", "memd_cli"]
_QUESTION = re.compile(rb"\[y/N\]|[Pp]assphrase of the store: |New passphrase: |Once more: ")


@dataclass
class Done:
    """What a run came to."""

    code: int
    out: bytes
    err: str

    @property
    def text(self) -> str:
        return self.out.decode()

    @property
    def lines(self) -> list[list[str]]:
        """The fields of each line."""
        return [line.split("\t") for line in self.text.split("\n")[:-1]]

    @property
    def answer(self) -> Any:
        """The one JSON object."""
        assert self.out.count(b"\n") == 1, self.out
        return json.loads(self.out)


@dataclass
class Memd:
    """Runs `memd` over one data folder, from one working folder."""

    home: Path
    cwd: Path
    env: dict[str, str] = field(default_factory=dict)

    def __call__(self, *words: str, stdin: bytes = b"", check: bool = True, **env: str) -> Done:
        """Run it piped; with `check`, an exit code other than 0 fails the test."""
        done = subprocess.run(
            [*COMMAND, *words],
            input=stdin,
            capture_output=True,
            cwd=self.cwd,
            env=self.environ(env),
            timeout=240,
            check=False,
        )
        result = Done(done.returncode, done.stdout, done.stderr.decode())
        assert "Traceback" not in result.err + done.stdout.decode(errors="replace"), result.err
        assert not check or result.code == 0, result
        return result

    def json(self, *words: str, stdin: bytes = b"", **env: str) -> Any:
        """The data of an answer that must be ok."""
        answer = self(*words, "--json", stdin=stdin, check=False, **env).answer
        assert answer["ok"], answer
        return answer["data"]

    def remember(self, text: str, *words: str) -> str:
        """Store a text, whatever its characters; its id."""
        return self("remember", *words, stdin=text.encode()).text.strip()

    def environ(self, more: dict[str, str]) -> dict[str, str]:
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("MEMD_", "XDG_", "NO_COLOR", "COLUMNS"))
        }
        return {**kept, "MEMD_HOME": str(self.home), "TERM": "xterm-256color", **self.env, **more}

    def popen(self, *words: str, **options: Any) -> subprocess.Popen[bytes]:
        return subprocess.Popen([*COMMAND, *words], cwd=self.cwd, env=self.environ({}), **options)

    def at_terminal(self, *words: str, say: Sequence[bytes] = (), columns: int = 80, **env: str) -> Done:
        """Run it at a terminal of its own, and answer its questions; what it shows, both streams together."""
        pid, terminal = pty.fork()
        if pid == 0:
            os.chdir(self.cwd)
            os.execve(COMMAND[0], [*COMMAND, *words], self.environ(env))
        ioctl(terminal, TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
        shown = b""
        to_say = list(say)
        deadline = time.monotonic() + 240
        try:
            while time.monotonic() < deadline:
                if not select.select([terminal], [], [], 1.0)[0]:
                    continue
                try:
                    part = os.read(terminal, 65536)
                except OSError:  # Linux's way to say that the other end is closed
                    break
                if not part:
                    break
                shown += part
                if to_say and len(_QUESTION.findall(shown)) > len(say) - len(to_say):
                    os.write(terminal, to_say.pop(0))
            else:
                os.kill(pid, signal.SIGKILL)
                raise AssertionError(f"still running: {shown!r}")
        finally:
            os.close(terminal)
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        assert not to_say, shown
        return Done(code, shown.replace(b"\r\n", b"\n"), "")
