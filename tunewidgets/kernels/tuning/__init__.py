"""Finding tuning dimensions: decompositions, and points and places along what they find."""
