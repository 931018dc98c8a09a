"""Whether the recording supports a statement: one module for each sort of thing that is stated."""
