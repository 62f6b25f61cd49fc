"""Naming features: units and dimensions compared with labels and masks that people gave."""
