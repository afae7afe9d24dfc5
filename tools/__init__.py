"""What developers of the product run; no part of it, and nothing of it imports this package."""
