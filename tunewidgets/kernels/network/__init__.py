"""Running a network: stopped at a layer, watched, captured, or gone through again with one layer changed."""
