"""Runs task files of OpenScan3 for the agent.

    python_host.py describe FILE    prints the file's task types as JSON
    python_host.py run FILE         runs one task; see README.md beside this file

Needs Python 3.9 or later and nothing but its standard library.
"""
import os
import sys

sys.dont_write_bytecode = True  # reading a file must not leave a cache in its folder
sys.path[0] = os.path.join(os.path.dirname(os.path.abspath(__file__)), "python")

from openscan_host import describe, run  # noqa: E402 (found by the line above)

COMMANDS = {"describe": describe.main, "run": run.main}


def main(argv: list) -> int:
    if len(argv) != 3 or argv[1] not in COMMANDS:
        print(__doc__, file=sys.stderr)
        return 2
    return COMMANDS[argv[1]](argv[2])


if __name__ == "__main__":
    sys.exit(main(sys.argv))
