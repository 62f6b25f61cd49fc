"""Live work: images that are made while a reader looks, in steps short enough to be stopped between them."""
