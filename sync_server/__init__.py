"""The program at headquarters: takes batches from agents, posts stock and books, publishes what happened."""
