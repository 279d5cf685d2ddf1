"""Media and profiles in a conversation: what is fetched, how long a turn waits, what the AI is told."""

import pytest

from schemas.content import Content, LocationContent, MediaContent, ShareContent, StickerContent, StoryContent
from schemas.envelope import AnyEvent
from schemas.events import MediaFailed, MediaStored, MessageEdited, ProfileUpdated
from tests.unit.conversation_world import HOUR_MS, PERSON, Talk

PICTURE = MediaContent(kind="image", media_id="7", caption="what is this?")
OURS = "file:///media/ab/abcdef"


def stored(talk: Talk, message: AnyEvent, content: Content | None = None) -> AnyEvent:
    content = content or MediaContent(kind="image", url=OURS, mime_type="image/png", sha256="ab" * 32)
    return talk.event(MediaStored(message_id=message.data.message_id, content=content), cause=message.id)


def failed(talk: Talk, message: AnyEvent) -> AnyEvent:
    return talk.event(MediaFailed(message_id=message.data.message_id, reason="gone"), cause=message.id)


def test_a_turn_that_ends_with_media_opens_when_it_is_stored_and_asks_with_our_link() -> None:
    talk = Talk()
    message = talk.said(PICTURE)
    first = talk.hear(message)
    assert (first.requests, [request.what for request in first.fetches]) == ([], ["media", "profile"])
    (request,) = talk.hear(stored(talk, message)).requests
    asked = request.question.message
    assert (asked.media_url, asked.message_text) == (OURS, "what is this?")
    assert asked.metadata["mime_type"] == "image/png"
    assert talk.wait(HOUR_MS).requests == []
    assert talk.disagreements() == []


def test_a_turn_waits_for_media_no_longer_than_its_limit() -> None:
    talk = Talk(media_wait_s=5)
    talk.hear(talk.said(MediaContent(kind="image", url="https://platform/1")))
    assert talk.wait(4_999).requests == []
    (request,) = talk.wait(1).requests
    assert request.question.message.media_url == "https://platform/1"


def test_a_turn_goes_on_at_once_when_its_media_cannot_be_had() -> None:
    talk = Talk()
    message = talk.said(PICTURE)
    talk.hear(message)
    assert len(talk.hear(failed(talk, message)).requests) == 1


def test_text_after_media_is_answered_at_once() -> None:
    talk = Talk()
    talk.hear(talk.said(PICTURE))
    (request,) = talk.hear(talk.said("hello?")).requests
    assert request.question.message.message_text == "hello?"


@pytest.mark.parametrize(
    "content",
    [
        "text",
        LocationContent(latitude=1, longitude=2),
        MediaContent(kind="image"),
        StickerContent(sticker_id="1988", package_id="446", keywords=("hello",)),
        StoryContent(relation="reply", url="https://platform/story", text="nice"),
        ShareContent(share_type="reel", url="https://platform/reel", title="nice"),
    ],
    ids=["text", "location", "media without a source", "a sticker without one", "a story with words", "a share"],
)
def test_nothing_but_media_delays_a_turn(content: str | Content) -> None:
    talk = Talk()
    assert len(talk.hear(talk.said(content)).requests) == 1


@pytest.mark.parametrize(
    "sticker",
    [
        StickerContent(sticker_id="7", media_id="7", emoji="😺"),
        StickerContent(sticker_id="7", url="https://platform/s"),
    ],
    ids=["by id", "by link"],
)
def test_a_sticker_with_a_picture_is_media(sticker: StickerContent) -> None:
    talk = Talk()
    message = talk.said(sticker)
    assert talk.hear(message).requests == []
    (request,) = talk.hear(stored(talk, message, sticker.model_copy(update={"url": OURS}))).requests
    assert (request.question.message.message_type, request.question.message.media_url) == ("sticker", OURS)
    assert talk.disagreements() == []


def test_a_share_is_stored_beside_its_turn_and_a_page_is_not() -> None:
    talk = Talk()
    share = ShareContent(share_type="reel", url="https://platform/reel")
    message = talk.said(share)
    answer = talk.hear(message, talk.said(ShareContent(url="https://page")))
    assert [request.content for request in answer.fetches if request.what == "media"] == [share]
    talk.hear(stored(talk, message, share.model_copy(update={"url": OURS})))
    assert [entry.media_url for entry in talk.history] == [OURS, None]


@pytest.mark.parametrize("is_ours", [None, False])
def test_media_of_a_person_of_the_business_is_stored_and_no_turn_waits(is_ours: bool | None) -> None:
    talk = Talk()
    echo = talk.echoed("h1", content=PICTURE, is_ours=is_ours)
    (request,) = talk.hear(echo).fetches
    assert (request.what, request.content, request.causation_id) == ("media", PICTURE, echo.id)
    assert not [name for name in talk.state.timers if name.startswith("media")]
    talk.hear(stored(talk, echo))
    assert [(entry.role, entry.media_url) for entry in talk.history] == [("assistant", OURS)]
    assert talk.disagreements() == []


def test_media_that_we_sent_ourselves_is_not_fetched_back() -> None:
    talk = Talk()
    message = talk.answer(talk.ask())
    by_tag = talk.echoed("p1", content=PICTURE, tag=f"iris:{message.parts[0].id}")
    by_id = talk.echoed("p2", content=PICTURE)
    by_app = talk.echoed("p3", content=PICTURE, is_ours=True)
    talk.deliver(message, "p2")
    assert talk.hear(by_tag, by_id, by_app).fetches == []


def test_media_of_an_echo_that_turned_out_to_be_ours_changes_nothing() -> None:
    talk = Talk()
    message = talk.answer(talk.ask())
    talk.hear(talk.started(message))
    echo = talk.echoed("p1", content=PICTURE)
    talk.hear(echo)
    talk.hear(talk.sent(message, "p1"))
    lines = talk.lines
    talk.hear(stored(talk, echo))
    assert (talk.lines, [entry.media_url for entry in talk.history]) == (lines, [None, None])
    assert talk.disagreements() == []


def test_without_a_wait_a_turn_does_not_wait() -> None:
    talk = Talk(media_wait_s=0)
    answer = talk.hear(talk.said(PICTURE))
    assert (len(answer.requests), [request.what for request in answer.fetches]) == (1, ["media", "profile"])


def test_each_of_several_pictures_of_one_message_gets_its_own_link() -> None:
    talk = Talk()
    one = talk.said(MediaContent(kind="image", url="https://platform/1"), "m1")
    two = talk.said(MediaContent(kind="image", url="https://platform/2"), "m1")
    talk.hear(one, two)
    talk.hear(stored(talk, two))
    assert [entry.media_url for entry in talk.history] == ["https://platform/1", OURS]


def test_stored_media_does_not_undo_a_later_edit_whose_own_media_is_fetched() -> None:
    talk = Talk()
    message = talk.said(PICTURE, "m1")
    other = MediaContent(kind="image", url="https://platform/other")
    edit = talk.event(MessageEdited(message_id="m1", sender_id=PERSON, content=other))
    answer = talk.hear(message, edit)
    assert [(request.content, request.causation_id) for request in answer.fetches if request.what == "media"] == [
        (PICTURE, message.id),
        (other, edit.id),
    ]
    talk.hear(stored(talk, message))
    assert talk.history[0].media_url == "https://platform/other"
    talk.hear(stored(talk, edit))
    assert talk.history[0].media_url == OURS
    assert talk.disagreements() == []


def test_new_words_under_a_picture_leave_the_picture() -> None:
    talk = Talk()
    message = talk.said(PICTURE, "m1")
    words = PICTURE.model_copy(update={"caption": "what is that?"})
    edit = MessageEdited(message_id="m1", sender_id=PERSON, content=words)
    talk.hear(message, talk.event(edit))
    (request,) = talk.hear(stored(talk, message)).requests
    asked = request.question.message
    assert (asked.message_text, asked.media_url) == ("what is that?", OURS)


def test_a_command_carries_all_that_it_takes_and_has_the_same_id_again() -> None:
    talk, twin = Talk(), Talk()
    (media, profile) = talk.hear(talk.said(PICTURE, metadata={"profile_name": "Ana"})).fetches
    assert (media.content, media.contact_id, media.message_id) == (PICTURE, PERSON, "m0")
    assert (profile.content, profile.contact_id, profile.metadata) == (None, PERSON, {"profile_name": "Ana"})
    assert media.id != profile.id
    assert twin.hear(twin.said(PICTURE, metadata={"profile_name": "Ana"})).fetches == [media, profile]


def test_a_profile_is_asked_for_once_per_contact_and_day() -> None:
    talk = Talk()

    def asked(*contacts: str) -> list[str]:
        return [
            request.contact_id
            for contact in contacts
            for request in talk.hear(talk.said("hi", sender_id=contact)).fetches
        ]

    assert asked("U1", "U2", "U1", "U2", "") == ["U1", "U2"]
    talk.wait(23 * HOUR_MS)
    assert asked("U2", "U1") == []
    talk.wait(HOUR_MS)
    assert asked("U1", "U1", "U2") == ["U1", "U2"]
    assert asked(*(f"many{number}" for number in range(40))) == [f"many{number}" for number in range(30)]
    assert talk.disagreements() == []


def test_a_profile_tells_name_and_language_but_overrules_nobody() -> None:
    talk = Talk()
    request = talk.ask("สวัสดี")
    talk.hear(talk.event(ProfileUpdated(contact_id=PERSON, language="th", content={"name": "Ana"}), cause="x"))
    talk.answer(request, user_insights={"language": "en"})
    talk.hear(talk.event(ProfileUpdated(contact_id=PERSON, language="fr", content={"name": "Bea"}), cause="y"))
    assert talk.ask("again").question.context.user_preferences == {"language": "en", "name": "Ana"}
