"""Canvases: the parameters and colors of an image while it is optimized, and its random transformations."""
