"""The terminal: what a command's words mean, what it does, and what it prints.

- `parsers`, `arguments`: the commands with their options, and what is given to them
- `commands`: what each command does
- `summary`, `checklist`: records as text
- `demo`, `demo_page`: the tour, as a notebook and as a page
"""

from .commands import main

__all__ = ["main"]
