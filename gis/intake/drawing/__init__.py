"""Is the drawing a valid polygon, and where is it not? Works in any coordinates."""
