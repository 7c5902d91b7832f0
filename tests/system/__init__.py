"""Real processes, started and ended as people and machines do."""
