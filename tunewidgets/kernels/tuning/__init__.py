"""Tuning dimensions: sampling activations, decomposing them, and rendering films along what is found."""
