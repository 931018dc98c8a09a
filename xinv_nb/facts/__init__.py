"""What may be said of a run, as data with typed slots: one file a kind, and the measures that they share."""
