"""Long computations: side by side, on other machines, kept on disk and resumed."""
