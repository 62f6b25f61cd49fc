"""Running a network: up to a layer, watched, captured, or again with one layer changed."""
