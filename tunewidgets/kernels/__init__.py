"""Everything that computes: functions of a model and data, out of which come records. No view is imported here."""
