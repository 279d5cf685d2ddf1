"""Every setting, from ``IRIS_*`` environment variables through one frozen object.

Channels are the one exception: they stand in ``iris.toml`` (see ``streams.channels``). What happens at a limit is
written beside it. A wrong value stops the start with one message that names the variable and the fix.
"""

from pathlib import Path

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict


class SettingsError(Exception):
    """A setting is wrong or missing; the text names the setting, where it is set, and the fix."""


class Settings(BaseSettings):
    """``IRIS_`` + the upper-case name of each field. Durations end in their unit."""

    model_config = SettingsConfigDict(env_prefix="IRIS_", frozen=True, extra="ignore")

    config: Path = Field(Path("iris.toml"), description="the file that lists the channels")
    data_dir: Path = Field(Path("data"), description="local state: broker's log (embedded), tables")

    kafka_bootstrap_servers: str | None = Field(None, description="host:port,…; unset: an embedded broker is started")
    kafka_port: int | None = Field(None, description="port of the embedded broker; unset: a free one is taken")
    kafka_session_timeout_s: float = Field(
        6.0, ge=1, description="a silent worker loses its partitions after this; brokers take no less than 6 by default"
    )
    topic_prefix: str = Field("iris.", pattern=r"^[a-z0-9.-]*$", description="starts every topic and group")
    partitions: int = Field(8, ge=1, le=1024, description="of every co-partitioned topic; fixed once created")
    replication: int = Field(1, ge=1, description="of every topic, changelogs too; 3 in production")
    log_retention_days: int = Field(365, description="of the log; -1 keeps it for ever")
    instance_id: str | None = Field(None, description="static group membership; unset: dynamic")

    host: str = Field("127.0.0.1", description="address of the public port")
    port: int = Field(8080, ge=0, le=65535, description="public port: webhooks")
    public_url: str | None = Field(
        None, description="https://host in front of the public port; `iris channels` registers and checks it"
    )
    admin_host: str = "127.0.0.1"
    admin_port: int = Field(8081, ge=0, le=65535, description="admin port of intake: health, metrics, /v1")
    admin_token: SecretStr | None = Field(
        None, description="bearer token of /v1 on the admin port; unset: /v1 is closed"
    )
    worker_admin_port: int | None = Field(None, description="health and metrics of a stage run apart; unset: none")
    body_bytes_max: int = Field(4_000_000, description="a larger webhook body gets 413 (WhatsApp sends up to 3 MB)")
    webhook_requests_max: int = Field(2_000, description="webhooks in hand; beyond: 503 with Retry-After")
    request_timeout_s: float = Field(
        10.0, gt=0, description="a connection that sends no complete request within this is closed"
    )
    answer_share: float = Field(
        0.75, gt=0, lt=1, description="of the platform's own limit, after which 503 is on its way; the promise is 80 %"
    )

    ai_url: str | None = Field(None, description="the AI service; unset: the embedded one")
    ai_call_timeout_s: float = Field(3.0, gt=0)
    ai_turn_timeout_s: float = Field(15.0, gt=0, description="all attempts of a turn together; then the fallback")
    ai_attempts: int = Field(3, ge=1)
    ai_concurrency: int = Field(64, ge=1, description="turns in the AI's hands at once; more wait on the topic")
    ai_answer_bytes_max: int = Field(1_048_576, ge=1_024, description="a longer answer counts as broken: tried again")
    ai_answer_chars_max: int = Field(20_000, ge=1, description="of an answer's text; the rest is cut there")
    ai_api_key: SecretStr | None = Field(None, description="bearer token for the AI service; unset: none is sent")
    ai_model: str = Field("default", description="told to a chat-completions server, which ai_url then ends in")
    ai_prompt: str = Field(
        "You answer a company's customers in a chat. Answer shortly, in plain text, in their language.",
        description="system message for a chat-completions server",
    )

    send_concurrency: int = Field(64, ge=1, description="conversations of one channel being sent to at once; more wait")
    send_retry_s_max: float = Field(30.0, description="longest wait between two attempts")
    send_told_wait_s_max: float = Field(3_600.0, description="a platform that asks for longer fails the message")
    send_pause_s: float = Field(30.0, gt=0, description="between two tries of a channel or platform that is down")
    send_outage_s_max: float = Field(
        900.0, ge=0, description="a message survives its platform's outage so long; then message_failed or _unknown"
    )
    evidence_wait_s: float = Field(60.0, description="how long an unknown send waits for evidence")

    health_interval_s: float = Field(60.0, ge=1, description="between two questions about every channel's health")

    session_hours: float = Field(24.0, description="context, preferences and session go after this silence")
    dedup_days: float = Field(7.0, description="how long inbound ids are remembered (WhatsApp redelivers that long)")
    context_messages: int = Field(50, ge=1, description="messages told to the AI; older ones leave the state")
    context_chars_max: int = Field(2_000, description="of one message in the context; the rest is cut there")
    pending_messages_max: int = Field(
        200, description="messages of one waiting turn; the oldest leave the turn, logged"
    )

    media_url: str | None = Field(
        None, description="where media is stored: a folder, or a URL that fsspec knows; unset: media under the data dir"
    )
    media_days: int | None = Field(
        None, ge=0, description="stored media is deleted so long after it was last put; unset: as the log; 0: never"
    )
    media_wait_s: float = Field(5.0, ge=0, description="a turn that ends with media waits so long for it to be stored")
    media_bytes_max: int = Field(
        26_214_400, ge=1, description="of one media, in or out; a larger one stays with the platform, or is not sent"
    )
    media_types: str = Field(
        "image/*,video/*,audio/*,application/*,text/plain,text/csv,text/vcard,text/x-vcard,text/calendar",
        description="MIME types that are stored; others stay with the platform",
    )
    fetch_concurrency: int = Field(
        4, ge=1, description="calls to one platform at once, each up to media_bytes_max in memory"
    )
    fetch_timeout_s: float = Field(20.0, gt=0, description="of one attempt at one media or profile")
    fetch_outage_s_max: float = Field(120.0, ge=0, description="attempts go on so long; then media_failed")

    commit_interval_s: float = Field(0.5, gt=0)
    batch_records_max: int = Field(2_000, ge=1, description="records of one step of a pure stage")
    inflight_records_max: int = Field(
        8_000, ge=1, description="records read and not yet acknowledged, per stage and source topic"
    )
    retries: int = Field(3, ge=0, description="of a record whose handling raised, before it is a dead letter")
    log_level: str = "INFO"
    failpoints: str = Field("", description="tests only: see streams.engine.failpoints")

    @property
    def kafka_url(self) -> str:
        """Bootstrap servers; raises SettingsError where none is known (a stage started apart needs one)."""
        if self.kafka_bootstrap_servers is None:
            raise SettingsError(
                "IRIS_KAFKA_BOOTSTRAP_SERVERS is not set: name the broker (host:port), "
                "or run `iris serve`, which starts one"
            )
        return self.kafka_bootstrap_servers


def load_settings() -> Settings:
    """From the environment; raises SettingsError."""
    try:
        return Settings()
    except ValidationError as error:
        first = error.errors()[0]
        name = "IRIS_" + "_".join(str(item) for item in first["loc"]).upper()
        raise SettingsError(f"{name}={first.get('input')!r}: {first['msg']}; fix or unset the variable") from error
