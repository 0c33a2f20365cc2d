"""``python -m clipsvd_app.cli``."""

import sys

from clipsvd_app.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
