"""Measures of single units: each measure is a file of its own, and `units` puts them all together.

A new measure gets a new file here, and its column a line in `derived/unit_columns.py`.
"""
