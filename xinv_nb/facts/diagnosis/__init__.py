"""What is wrong with a run, where, and the next call to make."""
