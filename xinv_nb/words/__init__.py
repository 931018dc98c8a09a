"""From facts to what people read: the plan of the captions, their sentences, answers to questions."""
