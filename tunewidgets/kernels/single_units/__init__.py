"""Measuring single units: the parts that `units` puts together."""
