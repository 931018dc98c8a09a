"""What was recorded, as plain data: the run, its histories, events, problem, and its file. NumPy only."""
