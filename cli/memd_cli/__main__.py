"""``python -m memd_cli`` is ``memd``."""

import sys

from memd_cli.main import main

sys.exit(main())
