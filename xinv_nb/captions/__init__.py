"""From facts to text that may be shown: the narrator's sentences, a model's wording of them, and the check between."""
