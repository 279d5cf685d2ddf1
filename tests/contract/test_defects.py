"""The ways in which gateways lose, double or misplace messages, and the tests that prove that this one does not.

``PROOFS`` is an index for readers: defect → the tests that fail when it is there. This test only keeps it true.
"""

import re
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parents[1]

PROOFS: dict[str, tuple[str, ...]] = {
    "1 only the first event of a batch is handled": (
        "integration/test_intake.py::test_one_body_with_five_events_a_repeat_an_unknown_kind_and_a_nameless_one",
        "integration/test_intake.py::test_two_pages_of_one_app_on_one_url_each_go_to_their_own_channel",
        "contract/test_whatsapp_fuzz.py::test_every_item_of_a_body_is_kept_or_its_change_counted_as_refused",
    ),
    "2 a bad signature answers 200, or work delays the 200": (
        "integration/test_intake.py::test_a_wrong_signature_is_refused_and_nothing_is_stored",
        "integration/test_turns.py::test_a_slow_ai_does_not_delay_the_webhooks_answer_and_redeliveries_make_no_second_answer",
    ),
    "3 the first entry decides the channel of all": (
        "integration/test_intake.py::test_two_pages_of_one_app_on_one_url_each_go_to_their_own_channel",
        "contract/test_whatsapp_webhook.py::test_each_number_of_an_app_goes_to_its_own_channel",
    ),
    "4 unknown kinds are dropped": (
        "integration/test_intake.py::test_one_body_with_five_events_a_repeat_an_unknown_kind_and_a_nameless_one",
    ),
    "6 LINE's reply token, retry key and quick replies": (
        "contract/test_line_plan.py::test_the_reply_token_goes_first_and_what_is_left_is_pushed",
        "contract/test_line_plan.py::test_a_reply_takes_no_retry_key_and_every_push_has_one_from_the_first_attempt_on",
        "contract/test_line_plan.py::test_quick_replies_stand_on_the_last_object_of_the_message_only",
        "unit/test_send_failures.py::test_a_reply_token_is_spent_by_one_message_only",
    ),
    "7 a message of several parts is sent again whole": (
        "unit/test_send_parts.py::test_parts_are_remembered_one_by_one",
        "unit/test_send_parts.py::test_a_part_half_of_which_went_through_is_continued_and_not_begun_again",
    ),
    "8 a status goes backwards": (
        "unit/test_conversation_sends.py::test_status_is_the_maximum_of_the_reports",
        "property/test_delivery_status.py::test_what_proves_delivery_beats_failed_in_either_order",
    ),
    "10 deduplication shorter than redelivery, or per process": (
        "unit/test_converse.py::test_ids_are_forgotten_after_their_days",
        "unit/test_converse.py::test_second_copy_changes_and_triggers_nothing",
        "fault/test_seeded_bugs.py::test_a_seeded_bug_is_caught",
    ),
    "11 throttling inside a 400 taken for permanent": (
        "contract/test_whatsapp_sender.py::test_throttling_inside_a_400_is_throttling",
        "contract/test_messenger_sender.py::test_each_refusal_says_what_to_do",
    ),
    "12 one chat's wait halts every chat": (
        "contract/test_telegram_sender.py::test_one_chat_that_must_wait_halts_no_other",
    ),
    "13 popped, then processed": (
        "fault/test_crash_points.py::test_a_kill_at_any_named_point_loses_doubles_and_reorders_nothing",
    ),
    "14 a crash between call and record": (
        "fault/test_crash_points.py::test_a_kill_at_any_named_point_loses_doubles_and_reorders_nothing",
        "unit/test_send.py::test_without_a_key_what_a_crash_interrupted_is_unknown_and_the_rest_follows",
        "unit/test_send.py::test_with_a_key_what_a_crash_interrupted_is_repeated_identically",
    ),
    "15 a time-out counted as not sent": (
        "unit/test_send_failures.py::test_without_a_key_a_time_out_is_unknown_and_never_sent_again",
        "unit/test_send_failures.py::test_with_a_key_a_time_out_is_repeated_and_shows_once",
    ),
    "16 no key, acks=1, errors never awaited": (
        "integration/test_intake.py::test_with_the_broker_down_the_answer_is_503_with_retry_after_in_time",
        "fault/test_seeded_bugs.py::test_a_seeded_bug_is_caught",
    ),
    "17 a message while the bot is thinking": (
        "integration/test_turns.py::test_a_message_that_arrives_while_the_bot_is_thinking_waits_and_its_context_holds_the_answer",
        "unit/test_conversation_turns.py::test_message_of_an_open_turn_waits_even_in_one_batch",
    ),
    "18 an edit that overtakes its message is lost": (
        "unit/test_conversation_amendments.py::test_what_overtakes_its_message_waits_for_it_visibly",
        "unit/test_conversation_amendments.py::test_orphan_is_told_after_ten_minutes_and_forgotten",
    ),
    "19 the bot talks over a person, or its own echo pauses it": (
        "unit/test_conversation_humans.py::test_human_in_the_platforms_app_silences_the_bot_for_a_lease",
        "unit/test_conversation_humans.py::test_unclaimed_echo_waits_for_the_send_that_may_be_its_own",
    ),
    "20 an expired token fails every message": (
        "unit/test_send_channel.py::test_a_channel_that_is_down_is_paused_and_resumes_without_loss",
    ),
    "22 users without a phone number": (
        "contract/test_whatsapp_plan.py::test_who_has_no_phone_number_is_written_to_by_user_id",
    ),
    "23 media links that have expired": (
        "integration/test_media.py::test_a_picture_is_stored_before_the_ai_is_asked_about_it_though_its_first_link_has_died",
        "contract/test_media.py::test_whatsapp_asks_for_a_new_link_when_the_webhooks_has_died",
        "contract/test_media.py::test_a_new_link_that_is_dead_already_is_asked_for_again",
        "contract/test_media.py::test_media_that_is_gone_is_told_and_no_secret_with_it",
    ),
    "24 text cut inside a grapheme or measured wrongly": (
        "contract/test_whatsapp_plan.py::test_text_is_never_cut_inside_a_grapheme",
        "contract/test_line_plan.py::test_text_is_measured_in_utf16_units",
    ),
}


@pytest.mark.parametrize("defect", PROOFS)
def test_the_proofs_of_a_defect_are_there(defect: str) -> None:
    for proof in PROOFS[defect]:
        path, _, name = proof.partition("::")
        assert re.search(rf"^(async )?def {name}\(", (TESTS / path).read_text(), re.MULTILINE), proof
