"""`python -m hardhull`."""

import sys

from hardhull.cli import main

sys.exit(main())
