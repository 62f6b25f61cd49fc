"""The commands that make the records that ship, and those of the reproductions: `python -m tunewidgets.makers.NAME`.

They alone know both the zoo and the kernels. Each goes on where it stopped.
"""
