"""What the chunks of a clause state: one module for each sort of thing that is stated."""
