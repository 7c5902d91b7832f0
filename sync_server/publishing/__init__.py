"""From the outbox to Kafka: messages, their topics, and the relay that publishes them in the order of posting."""
