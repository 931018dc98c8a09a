"""Labelled traces: real optimizers on real objectives, recorded by the real recorder, with what is to be said."""
