"""Optimizing images: what they are scored by, how a run is set up, and the loop that makes them."""
