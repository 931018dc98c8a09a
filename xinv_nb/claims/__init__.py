"""What a text claims, and whether the recording supports it."""
