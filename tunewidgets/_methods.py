"""The decompositions that go by a name, for kernels and for the command line, whose help loads no NumPy."""

METHODS = ("pca", "ica", "nmf", "lle")
