"""Reading pictures: what they show, to an eye that knows nothing of the network."""
