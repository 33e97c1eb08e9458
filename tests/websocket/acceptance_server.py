"""Which tests hold which clause of the WebSocket specification at the server's end.

Names are written as in ``acceptance.py``, whose tables these join.
"""

from typing import Final

from tests.websocket.acceptance import LISTENER, SERVER, Rows

__all__ = ["SERVER_TABLES"]

SERVED: Final = "test_served.py::"
OPTIONS: Final = "test_server_options.py::"
WIRE: Final = "seam/test_server.py::"
FACTORY: Final = "seam/test_factory.py::"
AUTOBAHN: Final = "seam/test_autobahn.py::"
BINDING: Final = "test_binding.py::test_a_port_that_the_system_forbids"
ALIVE: Final = f"{SERVED}test_who_is_alive_and_who_is_not"

SERVER_TABLES: Final[dict[str, Rows]] = {
    "2.6 configuration": {
        "serverIP": (
            f"{OPTIONS}test_what_is_no_address_is_2302004",
            f"{OPTIONS}test_addresses_of_both_kinds_are_taken",
            f"{SERVER}test_an_address_that_is_not_ours",
        ),
        "serverPort": (
            f"{OPTIONS}test_ports_out_of_range_are_2302005",
            f"{SERVER}test_a_port_that_is_taken",
            BINDING,
        ),
        "serverCert": (
            f"{LISTENER}test_a_wss_server",
            f"{SERVER}test_unusable_certificates_bind_nothing",
        ),
        "protocol": (f"{LISTENER}test_subprotocols_by_the_clients_preference",),
        "limits": (
            f"{OPTIONS}test_wrong_values_are_401",
            f"{OPTIONS}test_the_references_cap_on_request",
        ),
    },
    "2.7 limits": {
        "addresses, then connections": (
            f"{LISTENER}test_clients_are_addresses",
            "test_admission.py::test_connections_of_one_address_are_limited",
        ),
        "ban": (f"{LISTENER}test_hasty_clients_are_banned",),
        "the socket's address": (
            f"{LISTENER}test_a_client_is_who_the_socket_says",
            "test_admission.py::test_mapped_addresses_are_ipv4",
            f"{LISTENER}test_ipv6",
        ),
        "freed once": ("test_admission.py::test_slots_are_what_a_plain_count_says",),
    },
    "3.2 events": {
        "order": (
            f"{SERVER}test_events_of_one_client_in_their_order",
            f"{LISTENER}test_what_comes_with_the_handshake_comes_after_connect",
            f"{SERVER}test_a_client_that_is_lost",
        ),
        "listed from connect to close": (
            f"{SERVER}test_connections_are_listed_from_connect_to_close",
            f"{SERVER}test_a_client_is_nobody_before_its_connect",
        ),
        "nothing of what is no client": (
            f"{LISTENER}test_what_is_no_handshake",
            f"{LISTENER}test_silent_connections_end_at_the_open_timeout",
        ),
    },
    "3.3 ends at a server": {
        "we closed first": (
            f"{SERVER}test_closing_one_client",
            f"{SERVER}test_a_client_that_does_not_reply_to_our_close",
        ),
        "with a code": (f"{SERVER}test_events_of_one_client_in_their_order",),
        "without a code": (f"{SERVER}test_a_client_that_closes_without_a_code_disturbs_nobody",),
        "lost": (f"{SERVER}test_a_client_that_is_lost",),
        "pong timeout": (f"{SERVED}test_silent_clients_are_pinged_and_then_lost",),
        "stop": (f"{SERVER}test_stopping_closes_every_client",),
        "violation": (f"{SERVER}test_violations_are_closed_with_their_code",),
    },
    "3.5 codes of a server": {
        "200": (f"{SERVER}test_a_client_that_is_lost", f"{LISTENER}test_clients_are_addresses"),
        "201": (BINDING, f"{SERVER}test_the_permission_check"),
        "2302004, 2302005, 2302999, 2302002, in order": (
            f"{SERVER}test_codes_of_start_in_their_order",
        ),
        "2302006": (f"{SERVER}test_a_client_that_is_lost",),
        "2302007": (f"{SERVER}test_a_port_that_is_taken",),
    },
    "3.7 misuse": {
        "send before connect": (f"{SERVER}test_a_client_is_nobody_before_its_connect",),
        "start twice, calls while stopped": (f"{SERVER}test_calls_in_the_wrong_state",),
        "stale after stop": (f"{SERVER}test_a_client_that_is_gone_stays_gone_after_stop",),
        "close twice": (f"{SERVER}test_closing_one_client",),
        "values and serials": (
            f"{SERVER}test_values_made_by_hand_and_stale_ones",
            f"{LISTENER}test_two_connections_of_one_port",
        ),
        "stop": (
            f"{SERVER}test_stopping_closes_every_client",
            f"{SERVER}test_stopping_cuts_who_does_not_answer_and_who_is_not_open",
            f"{LISTENER}test_stopping_while_accept_decides",
            f"{LISTENER}test_stopping_in_the_middle_of_tls",
        ),
        "start again": (f"{SERVER}test_the_same_object_starts_again",),
    },
    "4.6 at a server": {
        "1 timers": (
            f"{WIRE}test_a_decision_may_take_as_long_as_the_open_timeout",
            f"{WIRE}test_peer_that_ignores_our_close_is_cut",
            "test_heartbeat.py::test_intervals_below_a_second_are_no_flood",
        ),
        "4 the agent with a proxy": (f"{AUTOBAHN}test_ws_through_a_proxy",),
        "7 TLS through a proxy": (f"{AUTOBAHN}test_wss_through_a_proxy",),
        "9 revived": (f"{WIRE}test_decisions_that_ignore_their_cancelling_come_too_late",),
        "10 open before messages": (
            f"{LISTENER}test_what_comes_with_the_handshake_comes_after_connect",
        ),
        "11 subprotocol": (f"{WIRE}test_subprotocol_that_was_not_offered_is_none",),
        "12 null origin": (
            f"{FACTORY}test_null_origin_stays_allowed",
            f"{WIRE}test_null_origin_is_the_sites_business",
            f"{OPTIONS}test_wrong_values_are_401",
        ),
        "13 other bytes in headers": (f"{LISTENER}test_headers_need_not_be_utf8",),
        "14 codes": (
            f"{SERVER}test_each_sendable_code_arrives",
            f"{SERVER}test_codes_that_may_not_be_sent_are_401",
        ),
        "15 our own code": (
            f"{WIRE}test_own_close_is_reported_as_ours",
            f"{WIRE}test_the_clients_close_is_repeated",
        ),
        "16 types": (f"{SERVER}test_what_is_sent_arrives_as_what_it_is",),
        "17 exceptions": (
            f"{WIRE}test_broken_hooks_close_with_1011",
            f"{WIRE}test_a_hook_that_breaks_on_what_came_with_the_handshake",
        ),
        "18 smuggled headers": (
            "test_handshake.py::test_what_cannot_be_sent_is_refused_where_it_is_written",
            f"{LISTENER}test_a_refusal_that_cannot_be_sent_is_a_whole_500",
        ),
        "19 raw connections": (f"{LISTENER}test_idle_connections_take_no_slot",),
        "20 whole answers": (f"{WIRE}test_refusals_of_the_hook",),
        "21 zero timeout, long frames": (
            f"{SERVED}test_a_pong_timeout_of_zero_is_no_deadline",
            ALIVE,
        ),
        "22 slow decisions": (
            f"{WIRE}test_a_decision_may_take_as_long_as_the_open_timeout",
            f"{LISTENER}test_decisions_are_bounded_by_the_open_timeout",
        ),
        "23 one flavour": (f"{AUTOBAHN}test_a_process_has_one_flavour_of_autobahn",),
        "24 virtual time": (f"{WIRE}test_a_decision_may_take_as_long_as_the_open_timeout",),
    },
    "4.7 heartbeat of a server": {
        "after the last proof of life": (ALIVE,),
        "fresh payload": (f"{SERVED}test_a_pong_timeout_of_zero_is_no_deadline",),
        "error, then 1006": (f"{SERVED}test_silent_clients_are_pinged_and_then_lost",),
        "while we write": (ALIVE, f"{SERVED}test_what_piles_up_is_no_sign_of_life"),
        "while it reads": (f"{SERVED}test_a_client_that_reads_on_is_excused",),
    },
    "5 at a server": {
        "send waits": (f"{SERVED}test_sending_waits_for_a_client_that_does_not_read",),
        "unsent fails": (f"{SERVED}test_sends_fail_that_wait_for_a_client_that_goes",),
        "16 MiB in": (f"{SERVER}test_messages_may_have_sixteen_mebibytes",),
        "compression": (
            f"{LISTENER}test_compression_is_the_configured_one",
            f"{WIRE}test_compressed_messages_and_their_limit",
        ),
        "defaults": (f"{OPTIONS}test_the_documented_defaults",),
        "threads": (f"{SERVER}test_what_returns_a_deferred_says_on_which_thread",),
    },
    "7 at a server": {
        "n TCP and TLS": (f"{SERVED}test_sending_waits_for_a_client_that_does_not_read",),
        "o on and off": (f"{SERVER}test_each_event_under_each_name",),
        "t 201": (BINDING,),
        "x secrets": (f"{LISTENER}test_requests_leave_no_secret",),
    },
}
"""Name of a section -> its rows; items of 4.6 that are a client's alone are not here."""
