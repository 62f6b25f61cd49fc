"""`python -m tunewidgets` is the `tunewidgets` command."""

from tunewidgets.cli.commands import main

raise SystemExit(main())
