"""Measurements of single units: selectivity, images, RS, importance and exemplars, which `units` puts together."""
