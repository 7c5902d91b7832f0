"""The pure parts of publishing: messages, pages, positions."""
