"""How data is said: the types of the slots of a sentence, numbers with their units, the renderer, and the banks."""
