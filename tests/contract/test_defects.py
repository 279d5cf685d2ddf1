"""The ways in which gateways lose, double or misplace messages, and the tests that prove that this one does not.

``PROOFS`` is an index for readers: defect → the tests that fail when it is there. This test only keeps it true.
"""

import re
from pathlib import Path

import pytest

from connectors.registry import platforms

TESTS = Path(__file__).resolve().parents[1]

PROOFS: dict[str, tuple[str, ...]] = {
    "1 only the first event of a batch is handled": (
        "contract/test_platforms.py::test_an_unheard_of_item_in_any_list_of_events_is_kept_or_counted_as_refused",
        "integration/test_intake.py::test_one_body_with_five_events_a_repeat_an_unknown_kind_and_a_nameless_one",
        "integration/test_intake.py::test_two_pages_of_one_app_on_one_url_each_go_to_their_own_channel",
        "contract/test_whatsapp_fuzz.py::test_every_item_of_a_body_is_kept_or_its_change_counted_as_refused",
    ),
    "2 a bad signature answers 200, or work delays the 200": (
        "contract/test_platform_proofs.py::test_a_forged_proof_is_401_or_403",
        "contract/test_platform_proofs.py::test_a_proof_with_any_character_changed_opens_nothing",
        "integration/test_intake.py::test_a_wrong_signature_is_refused_and_nothing_is_stored",
        "integration/test_turns.py::test_a_slow_ai_does_not_delay_the_webhooks_answer_and_redeliveries_make_no_second_answer",
    ),
    "3 the first entry decides the channel of all": (
        "integration/test_intake.py::test_two_pages_of_one_app_on_one_url_each_go_to_their_own_channel",
    ),
    "4 unknown kinds are dropped": (
        "contract/test_platforms.py::test_an_unheard_of_item_in_any_list_of_events_is_kept_or_counted_as_refused",
        "contract/test_matrix.py::test_comes_in",
        "integration/test_intake.py::test_one_body_with_five_events_a_repeat_an_unknown_kind_and_a_nameless_one",
    ),
    "5 WeChat without a signature, errors inside a 200, seconds read as milliseconds": (
        "contract/test_wechat_webhook.py::test_a_plain_body_without_its_proof_stores_nothing",
        "contract/test_wechat_webhook.py::test_the_plain_proof_alone_does_not_open_the_secure_mode",
        "contract/test_wechat_sender.py::test_an_errcode_inside_a_200_is_sorted",
        "contract/test_line_sender.py::test_a_bad_request_is_permanent_and_says_what_is_wrong",
        "contract/test_platforms.py::test_the_platforms_clock_is_read_in_its_own_unit",
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
    "9 a report that names nobody we know is dropped": (
        "unit/test_conversation_strays.py::test_report_that_names_nobody_waits_ten_minutes_visibly",
        "unit/test_conversation_strays.py::test_report_that_overtakes_the_sends_answer_is_led_to_its_conversation",
        "unit/test_conversation_sends.py::test_report_that_overtakes_the_sends_answer_is_matched",
    ),
    "11 throttling inside a 400 taken for permanent": (
        "contract/test_whatsapp_sender.py::test_throttling_inside_a_400_is_throttling",
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
    "21 windows judged by the message alone": (
        "unit/test_conversation_lifetime.py::test_window_opens_by_whatever_the_platform_counts",
    ),
    "22 users without a phone number": (
        "contract/test_whatsapp_plan.py::test_who_has_no_phone_number_is_written_to_by_user_id",
        "unit/test_conversation_moves.py::test_next_question_knows_what_was_said_under_the_old_identity",
        "unit/test_conversation_moves.py::test_redelivery_under_the_new_key_of_what_the_old_one_read_has_no_second_effect",
    ),
    "23 media links that have expired": (
        "contract/test_media.py::test_whatsapp_asks_for_a_new_link_when_the_webhooks_has_died",
        "integration/test_media.py::test_a_picture_is_stored_before_the_ai_is_asked_about_it_though_its_first_link_has_died",
    ),
    "24 text cut inside a grapheme or measured wrongly": (
        "contract/test_platform_plans.py::test_a_long_text_is_cut_between_graphemes_and_nothing_of_it_is_lost",
        "unit/test_shared_text.py::test_splitting_loses_only_white_space_and_cuts_no_grapheme",
    ),
}

OF_EACH: dict[str, dict[str, str]] = {
    "3 the first entry decides the channel of all": {
        "messenger": "contract/test_messenger_webhook.py::test_each_page_of_an_app_goes_to_its_own_channel",
        "instagram": "contract/test_instagram_webhook.py::"
        "test_each_account_of_an_app_goes_to_its_own_channel_and_nobodys_entry_is_refused_alone",
        "whatsapp": "contract/test_whatsapp_webhook.py::test_each_number_of_an_app_goes_to_its_own_channel",
        "line": "contract/test_line_webhook.py::test_a_body_goes_to_the_channel_that_owns_its_bot",
        "telegram": "contract/test_telegram_webhook.py::test_the_secret_of_another_channel_does_not_open_this_one",
        "wechat": "contract/test_wechat_webhook.py::test_a_plain_message_goes_to_the_account_that_it_names",
    },
    "11 throttling inside a 400 taken for permanent": {
        "messenger": "contract/test_messenger_sender.py::test_each_refusal_says_what_to_do",
        "instagram": "contract/test_instagram_sender.py::test_each_refusal_says_what_to_do",
        "whatsapp": "contract/test_whatsapp_sender.py::test_each_code_says_what_to_do",
        "line": "contract/test_line_sender.py::test_the_two_kinds_of_429",
        "telegram": "contract/test_telegram_sender.py::test_a_failure_says_what_the_caller_can_do",
        "wechat": "contract/test_wechat_sender.py::test_a_failure_says_what_the_caller_can_do",
    },
    "24 text cut inside a grapheme or measured wrongly": {
        "messenger": "contract/test_messenger_plan.py::test_text_is_split_beyond_its_limit",
        "instagram": "contract/test_instagram_plan.py::test_text_is_split_beyond_a_thousand_bytes",
        "whatsapp": "contract/test_whatsapp_plan.py::test_text_is_split_beyond_its_limit",
        "line": "contract/test_line_plan.py::test_text_is_measured_in_utf16_units",
        "telegram": "contract/test_telegram_plan.py::test_no_grapheme_is_cut",
        "wechat": "contract/test_wechat_plan.py::test_text_is_measured_in_bytes_and_cut_between_graphemes",
    },
}
"""Defects that a platform can have in its own way; the others are proven for every platform that is found, or once."""


@pytest.mark.parametrize("defect", OF_EACH)
def test_every_platform_has_a_proof_of_its_own(defect: str) -> None:
    assert set(OF_EACH[defect]) == set(platforms()), "add the new platform's test"
    for proof in OF_EACH[defect].values():
        require_test(proof)


@pytest.mark.parametrize("defect", PROOFS)
def test_the_proofs_of_a_defect_are_there(defect: str) -> None:
    for proof in PROOFS[defect]:
        require_test(proof)


def require_test(proof: str) -> None:
    path, _, name = proof.partition("::")
    assert re.search(rf"^(async )?def {name}\(", (TESTS / path).read_text(), re.MULTILINE), proof
