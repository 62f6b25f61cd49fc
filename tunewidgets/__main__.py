"""`python -m tunewidgets` is the `tunewidgets` command."""

from tunewidgets.cli import main

raise SystemExit(main())
