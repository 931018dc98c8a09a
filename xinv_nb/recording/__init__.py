"""Fills a `Run` while the user's code runs: observes autograd, collects events, and never touches the computation."""
