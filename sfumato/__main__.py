"""`python -m sfumato`: the same as the command `sfumato`."""

import sys

from sfumato.app.cli.main import main

sys.exit(main())
