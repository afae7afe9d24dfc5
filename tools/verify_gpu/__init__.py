"""What vLLM prints on this machine's GPU for catalogue models, next to what the sizing engine said."""
