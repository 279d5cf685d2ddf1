"""Names of the record headers that every topic carries, and of those of dead letters and changelogs."""

SCHEMA = "iris-schema"
"""``type/version`` of the value."""
CHANNEL = "iris-channel"
RECEIVED_AT = "iris-received-at"
"""When intake accepted the cause: Unix milliseconds with fractions, as decimal text."""
TRACEPARENT = "traceparent"
"""W3C Trace Context."""

DEAD_TOPIC = "iris-dead-topic"
DEAD_PARTITION = "iris-dead-partition"
DEAD_OFFSET = "iris-dead-offset"
DEAD_STAGE = "iris-dead-stage"
DEAD_ERROR_CLASS = "iris-dead-error-class"
DEAD_ERROR_TEXT = "iris-dead-error-text"
DEAD_TIME = "iris-dead-time"
DEAD_HEADERS = (
    DEAD_TOPIC,
    DEAD_PARTITION,
    DEAD_OFFSET,
    DEAD_STAGE,
    DEAD_ERROR_CLASS,
    DEAD_ERROR_TEXT,
    DEAD_TIME,
)

POSITION = "iris-position"
"""On changelog records: source offset that this state has seen."""
EXPIRES_AT = "iris-expires-at"
"""On changelog records: Unix milliseconds after which the key is gone."""
