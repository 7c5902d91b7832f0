"""What others rely on, word by word: golden files of every protocol version, and the specification's own examples."""
