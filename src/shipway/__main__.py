"""`python -m shipway`."""

import sys

from shipway.cli.main import main

sys.exit(main())
