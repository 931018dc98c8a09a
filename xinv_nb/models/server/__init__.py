"""The Ollama server: its client, its models, downloads, and what can go wrong."""
