"""Fills a `Run` while the user's code runs: takes evaluations and events, and never touches the computation."""
