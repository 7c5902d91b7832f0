"""What production names and a single machine brings along: PostgreSQL and a Kafka-compatible broker."""
