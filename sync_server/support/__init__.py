"""What support works with: proving that a database is whole, and finding what is not."""
