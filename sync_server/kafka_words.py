"""Why Kafka does not answer: librdkafka tries for ever and says why it fails to its log alone."""

from typing import Final

from confluent_kafka import KafkaError

_WHAT_TO_DO: Final = "Check what the settings say of security, CA file and sign-in."


class LastWords:
    """What a client said last about a line that does not come up; give `hear` to it as `error_cb`."""

    def __init__(self) -> None:
        self._said: dict[int, str] = {}

    def hear(self, error: KafkaError) -> None:
        """Called by librdkafka."""
        self._said[error.code()] = error.str()

    def explain(self, sentence: str) -> str:
        """The sentence, and, where the line is refused rather than away, why."""
        for code in (KafkaError._AUTHENTICATION, KafkaError._SSL):
            if code in self._said:
                return f"{sentence} The line is refused: {self._said[code]}. {_WHAT_TO_DO}"
        return sentence
