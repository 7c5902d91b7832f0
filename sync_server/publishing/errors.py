"""What can keep a message from its topic, and whether it heals by itself.

PublishingError
├── BrokerAway        Kafka does not answer; heals by itself, the outbox waits
├── TopicUnusable     a topic is not as the contract says; somebody has to mend it
    └── PositionInvalid   somebody asked to publish from where there is nothing
"""

from sync_server.errors import SyncServerError


class PublishingError(SyncServerError):
    """Nothing is lost by any of these: what was not published stays in the outbox."""


class BrokerAway(PublishingError):
    """No Kafka broker answers, or none that can take the messages now; trying again later is all it needs."""


class TopicUnusable(PublishingError):
    """A topic has another number of partitions than the contract says, or may not be created."""


class PositionInvalid(PublishingError):
    """What should be published again cannot be understood or does not exist."""
