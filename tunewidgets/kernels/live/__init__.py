"""Live work: images that are made while a reader looks, in steps so short that the work can be stopped between them."""
