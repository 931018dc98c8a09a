"""Running an optimization again with something changed, and what that changed."""
