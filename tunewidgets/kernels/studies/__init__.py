"""Long computations: in parallel, on other machines, kept on disk and resumed."""
