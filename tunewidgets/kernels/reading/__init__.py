"""Reading pictures: what they show to an observer that knows nothing of the network."""
