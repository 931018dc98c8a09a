"""From a `Run` to what is seen: the live widget, the figure, the record that stays, the exported page."""
