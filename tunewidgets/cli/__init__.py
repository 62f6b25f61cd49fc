"""The terminal: the commands' arguments, what each command does, and what it prints.

- `parsers`, `arguments`: the commands with their options, and how the text of an argument is read
- `commands`: what each command does
- `summary`, `checklist`: records as text
- `demo`, `demo_page`: the tour, as a notebook and as a page
"""

from .commands import main

__all__ = ["main"]
