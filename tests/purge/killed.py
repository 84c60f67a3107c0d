"""A purge in a process of its own, to be killed."""

import sys

from memd.api import Memory

if __name__ == "__main__":
    with Memory.open(sys.argv[1], encode="off") as memory:
        print("open", flush=True)
        memory.purge(sys.argv[2:])
        print("done", flush=True)
