"""What a local model may do: reword the built-in text, under the check."""
