"""The kinds of facts, one room each."""
