"""What a user gives, as batches; what is sampled of it, as vectors."""
