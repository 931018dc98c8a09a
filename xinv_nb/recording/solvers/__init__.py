"""Watches the optimizers that call for evaluations."""
