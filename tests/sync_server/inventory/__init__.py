"""Items and stock."""
