"""The AI service: client, embedded service and the form of its answers."""
