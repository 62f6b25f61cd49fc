"""The commands that make the shipped records and those of the reproductions: `python -m tunewidgets.makers.NAME`.

Only they know both the zoo and the kernels. Each resumes where it stopped.
"""
