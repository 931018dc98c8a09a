"""From a question in a reader's words to a query that is computed: what is wanted, of what, and when."""
