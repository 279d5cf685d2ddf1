"""The command line as a whole: durations, exit codes, and settings that are told apart from everything else."""

import os
import subprocess
import sys

import pytest

from streams.cli.main import parse_duration
from streams.cli.output import CommandError


@pytest.mark.parametrize(
    ("text", "seconds"), [("60s", 60), ("2m", 120), ("1h", 3600), ("45", 45), ("1.5s", 1.5), ("500ms", 0.5)]
)
def test_durations_are_read_with_their_unit(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "s", "-1s", "0", "1d", "1 m 2 s", "nan", "1e3"])
def test_anything_else_is_no_duration(text: str) -> None:
    with pytest.raises(CommandError, match="write for example 60s"):
        parse_duration(text)


@pytest.mark.parametrize(
    ("arguments", "environment", "code", "says"),
    [
        (["intake"], {}, 78, "IRIS_KAFKA_BOOTSTRAP_SERVERS is not set"),
        (["worker", "--stages", "normalise"], {}, 78, "IRIS_KAFKA_BOOTSTRAP_SERVERS is not set"),
        (["worker", "--stages", "normalise,send"], {}, 78, "IRIS_KAFKA_BOOTSTRAP_SERVERS is not set"),
        (["worker", "--stages", "normalise,dance"], {}, 2, "no stage 'dance'; there are: normalise, converse"),
        (["worker", "--stages", ","], {}, 2, "no stage named"),
        (["topics", "ensure"], {"IRIS_DATA_DIR": "/nowhere"}, 69, "no `iris serve` runs on /nowhere"),
        (
            ["topics", "list"],
            {"IRIS_KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1"},
            69,
            "no Kafka broker answers at 127.0.0.1:1",
        ),
        (["serve"], {"IRIS_PORT": "web"}, 78, "IRIS_PORT='web': "),
        (["intake"], {"IRIS_LOG_LEVEL": "LOUD"}, 78, "IRIS_LOG_LEVEL='LOUD'"),
        (
            ["serve"],
            {"IRIS_CONFIG": "/nowhere/iris.toml"},
            78,
            "IRIS_CONFIG names /nowhere/iris.toml, which does not exist",
        ),
        (["serve", "--for", "soon"], {}, 2, "'soon' is no duration"),
    ],
)
def test_what_is_wrong_is_one_message_with_its_exit_code(
    arguments: list[str], environment: dict[str, str], code: int, says: str
) -> None:
    command = [sys.executable, "-m", "streams.cli", *arguments]
    result = subprocess.run(command, capture_output=True, text=True, env={**os.environ, **environment})
    assert result.returncode == code
    assert result.stderr.startswith("iris: ")
    assert says in result.stderr
    assert result.stderr.count("\n") == 1


def test_a_reader_that_has_enough_ends_the_command_quietly() -> None:
    body = (
        '{"object":"page","entry":[{"id":"P","messaging":['
        + ",".join(
            f'{{"sender":{{"id":"U{number}"}},"timestamp":1,"message":{{"mid":"m{number}","text":"x"}}}}'
            for number in range(3_000)
        )
        + "]}]}"
    )
    command = f"{sys.executable} -m streams.cli inspect messenger | head -n 1"
    answer = subprocess.run(["bash", "-c", command], input=body, capture_output=True, text=True, env={**os.environ})
    assert answer.stdout.count("\n") == 1
    assert answer.stderr == ""
