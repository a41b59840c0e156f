"""`python -m node` is the `echoppe` command."""

import sys

from node.cli import main

sys.exit(main())
