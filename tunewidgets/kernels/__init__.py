"""Everything that computes: a function of a model and data, out of which comes a record. Views are never imported here."""
