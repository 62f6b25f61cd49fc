"""A user's data as batches, and what is sampled from it as vectors."""
