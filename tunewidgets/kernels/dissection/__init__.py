"""Naming features: units and dimensions against labels and masks that people gave."""
