"""Which tests hold which clause of the WebSocket specification: rows of its tables, and its list.

A test is named by its path under ``tests/websocket`` and its function; behind it may stand, in
brackets, the key of a table in that module which makes it run for this row.
"""

from typing import Final

from twisted_chainws.websocket import ClientEvent, ErrorCode, State

__all__ = ["ACCEPTANCE", "CALLS", "ERRORS", "EVENTS", "OPTIONS", "SERVER_CALLS", "STATES", "TABLES"]

Rows = dict[str, tuple[str, ...]]

TABLE: Final = "test_client_table.py::"
CLIENT: Final = "test_client.py::"
WIRE: Final = "seam/test_client.py::"
REQUEST: Final = "seam/test_client_factory.py::"
TLS: Final = "test_tls.py::"
WSS: Final = "test_wss.py::"
PROXIED: Final = "test_proxied.py::"
SERVER: Final = "test_server.py::"
LISTENER: Final = "test_listener.py::"
INTEROP: Final = "test_interop.py::"
EMITTER: Final = "test_emitter.py::"
ONE_EVENT: Final = f"{TABLE}test_on_and_off"

CALLS: Final[Rows] = {
    "webSocket.createWebSocket()": (
        f"{CLIENT}test_reactor_by_default",
        f"{TABLE}test_each_way_to_connect",
    ),
    "connect(url, callback)": (
        f"{TABLE}test_each_way_to_connect[connect(url, callback)]",
        f"{TABLE}test_each_way_to_connect[connect(url, callback=callback)]",
        f"{CLIENT}test_errors_by_callback",
    ),
    "connect(url, options, callback)": (
        f"{TABLE}test_each_way_to_connect[connect(url, options, callback)]",
        f"{CLIENT}test_each_call_with_and_without_callback",
    ),
    "connect(url, options?)": (
        f"{TABLE}test_each_way_to_connect[connect(url)]",
        f"{TABLE}test_each_way_to_connect[connect(url, options)]",
        f"{TABLE}test_each_error_of_a_call",
        f"{TABLE}test_connected_already_and_refused",
    ),
    "send(data, callback)": (
        f"{TABLE}test_each_way_to_send[send(data, callback)]",
        f"{CLIENT}test_errors_by_callback",
    ),
    "send(data)": (
        f"{TABLE}test_each_way_to_send[send(str)]",
        f"{TABLE}test_each_way_to_send[send(bytes)]",
        f"{TABLE}test_each_way_to_send[send(bytearray)]",
        f"{TABLE}test_each_way_to_send[send(memoryview)]",
        f"{CLIENT}test_wrong_data",
    ),
    "close(callback)": (
        f"{TABLE}test_each_way_to_close[close(callback)]",
        f"{CLIENT}test_errors_by_callback",
    ),
    "close(options, callback)": (f"{TABLE}test_each_way_to_close[close(options, callback)]",),
    "close(options?)": (
        f"{TABLE}test_each_way_to_close[close()]",
        f"{TABLE}test_each_way_to_close[close(options)]",
        f"{TABLE}test_each_way_to_close[close(code, reason)]",
        f"{CLIENT}test_forbidden_close_codes",
    ),
    **{f"on('{event}'), off('{event}')": (ONE_EVENT,) for event in ClientEvent},
}
"""1.3, by the first column of the guide's tables."""

SERVER_CALLS: Final[Rows] = {
    "webSocket.createWebSocketServer()": (f"{SERVER}test_the_usual_reactor_is_found",),
    "start(config)": (
        f"{SERVER}test_the_same_object_starts_again",
        f"{SERVER}test_codes_of_start_in_their_order",
    ),
    "send(data, connection)": (
        f"{SERVER}test_what_is_sent_arrives_as_what_it_is",
        f"{SERVER}test_values_made_by_hand_and_stale_ones",
    ),
    "listAllConnections()": (f"{SERVER}test_connections_are_listed_from_connect_to_close",),
    "close(connection, options?)": (
        f"{SERVER}test_closing_one_client",
        f"{SERVER}test_codes_that_may_not_be_sent_are_401",
    ),
    "stop()": (f"{SERVER}test_stopping_closes_every_client",),
    "on('connect'), off('connect')": (
        f"{SERVER}test_events_of_one_client_in_their_order",
        f"{SERVER}test_off_takes_listeners_away",
    ),
    "on('messageReceive'), off('messageReceive')": (
        f"{SERVER}test_events_of_one_client_in_their_order",
        f"{SERVER}test_off_takes_listeners_away",
    ),
    "on('close'), off('close')": (
        f"{SERVER}test_events_of_one_client_in_their_order",
        f"{SERVER}test_off_takes_listeners_away",
    ),
    "on('error'), off('error')": (f"{SERVER}test_a_client_that_is_lost",),
}
"""1.4, in the same way."""

OPTIONS: Final[Rows] = {
    "header": (
        "test_options.py::test_wrong_headers",
        f"{TABLE}test_requests_on_the_wire",
        f"{REQUEST}test_headers_of_the_application",
    ),
    "ca_path": (
        f"{TLS}test_a_custom_root_is_trusted",
        f"{TLS}test_a_missing_file_is_known_before_dialling",
        f"{TLS}test_the_roots_of_the_platform_are_trusted",
    ),
    "client_cert": (
        f"{TLS}test_a_client_shows_its_certificate",
        f"{TLS}test_an_empty_certificate_path_is_no_certificate",
        f"{WSS}test_files_are_looked_at_before_dialling",
    ),
    "proxy": (f"{PROXIED}test_each_way", "test_options.py::test_wrong_options"),
    "protocol": (
        f"{CLIENT}test_subprotocol",
        "test_options.py::test_subprotocols",
        f"{TABLE}test_requests_on_the_wire",
    ),
    "skip_server_cert_verification": (
        f"{TLS}test_verification_can_be_skipped",
        f"{WSS}test_a_server_that_cannot_be_verified",
    ),
    "ping_interval": (
        f"{WIRE}test_healthy_server_gets_one_ping_an_interval",
        "test_options.py::test_wrong_options",
    ),
    "pong_timeout": (
        f"{WIRE}test_silent_server_is_dropped_in_time",
        f"{WIRE}test_no_deadline",
        "test_options.py::test_deadline",
    ),
    "origin": (f"{TABLE}test_requests_on_the_wire", "test_options.py::test_wrong_options"),
    "min_tls_version": (f"{TLS}test_a_floor_is_kept",),
    "compression": (
        f"{WIRE}test_compression_is_agreed_on",
        f"{WIRE}test_compression_not_wanted",
    ),
    "max_message_size": (
        f"{TABLE}test_sizes_without_options",
        f"{TABLE}test_sizes_without_limits",
        f"{WIRE}test_violations[too long a message]",
    ),
    "max_send_size": (
        f"{TABLE}test_sizes_without_options",
        f"{TABLE}test_sizes_without_limits",
        f"{CLIENT}test_wrong_data",
    ),
    "open_timeout": (
        f"{CLIENT}test_open_timeout",
        f"{PROXIED}test_a_hanging_proxy_is_given_up",
        f"{PROXIED}test_a_proxy_that_lets_nothing_through_is_given_up",
    ),
    "close_timeout": (
        f"{WIRE}test_server_says_close_and_stays",
        f"{WIRE}test_server_never_answers_close",
        f"{WIRE}test_close_timeout_is_exact_and_on_the_given_clock",
    ),
    "max_url_length": (f"{TABLE}test_the_longest_url_is_connected_to",),
    "allowed_hosts": (
        "test_preparing.py::test_allowed_hosts",
        f"{TABLE}test_each_error_of_a_call[domain]",
    ),
    "permission_check": (
        f"{TABLE}test_each_error_of_a_call[permission]",
        "test_preparing.py::test_broken_hook",
    ),
    "max_queue": (f"{WIRE}test_reading_is_held_between_messages",),
}
"""2.2 and the client's part of 2.7, by field of ``WebSocketRequestOptions``."""

EVENTS: Final[dict[ClientEvent, tuple[str, ...]]] = {
    ClientEvent.HEADER_RECEIVE: (ONE_EVENT, f"{CLIENT}test_refused_handshake"),
    ClientEvent.OPEN: (ONE_EVENT, f"{TABLE}test_open_has_the_words_of_the_status_line"),
    ClientEvent.MESSAGE: (ONE_EVENT, f"{WIRE}test_fragments_and_empty_messages"),
    ClientEvent.DATA_END: (
        ONE_EVENT,
        f"{TABLE}test_data_end_follows_in_the_same_turn_listened_to_or_not",
    ),
    ClientEvent.ERROR: (ONE_EVENT, f"{WIRE}test_lost_without_close"),
    ClientEvent.CLOSE: (ONE_EVENT, f"{CLIENT}test_connecting", f"{CLIENT}test_server_closes"),
}
"""3.1."""

ERRORS: Final[dict[ErrorCode, tuple[str, ...]]] = {
    ErrorCode.CONNECT_FAILED: (f"{TABLE}test_connected_already_and_refused",),
    ErrorCode.PERMISSION_DENIED: (
        f"{TABLE}test_each_error_of_a_call[permission]",
        "test_connecting.py::test_not_allowed_to_connect",
    ),
    ErrorCode.PARAMETER_ERROR: (f"{TABLE}test_each_error_of_a_call[type]",),
    ErrorCode.URL_ERROR: (f"{TABLE}test_each_error_of_a_call[URL]",),
    ErrorCode.CERT_NOT_FOUND: (
        f"{TABLE}test_each_error_of_a_call[CA]",
        f"{TABLE}test_each_error_of_a_call[certificate]",
    ),
    ErrorCode.ALREADY_CONNECTED: (f"{TABLE}test_connected_already_and_refused",),
    ErrorCode.INVALID_NIC: (
        f"{SERVER}test_an_address_that_is_not_ours",
        "test_server_options.py::test_what_is_no_address_is_2302004",
    ),
    ErrorCode.INVALID_PORT: (
        f"{SERVER}test_a_port_that_is_taken",
        "test_server_options.py::test_ports_out_of_range_are_2302005",
    ),
    ErrorCode.CONNECTION_NOT_FOUND: (f"{SERVER}test_values_made_by_hand_and_stale_ones",),
    ErrorCode.PORT_OCCUPIED: (f"{SERVER}test_a_port_that_is_taken",),
    ErrorCode.DOMAIN_NOT_ALLOWED: (f"{TABLE}test_each_error_of_a_call[domain]",),
    ErrorCode.INTERNAL_ERROR: (
        f"{TABLE}test_each_error_of_a_call[unfit certificate]",
        f"{TABLE}test_each_error_of_a_call[send before open]",
    ),
}
"""3.5; the words of all are held by ``test_codes.py``."""

_IDLE: Final = f"{CLIENT}test_idle_and_closed"
_CONNECTING: Final = f"{CLIENT}test_connecting"
_OPEN: Final = f"{CLIENT}test_open"
_CLOSING: Final = (f"{CLIENT}test_closing", f"{CLIENT}test_closing_by_the_server")

STATES: Final[dict[tuple[str, State], tuple[str, ...]]] = {
    ("connect", State.IDLE): (_IDLE,),
    ("connect", State.CONNECTING): (_CONNECTING,),
    ("connect", State.OPEN): (_OPEN,),
    ("connect", State.CLOSING): (_CONNECTING, _CLOSING[0]),
    ("connect", State.CLOSED): (
        f"{CLIENT}test_connect_again_from_listeners",
        f"{TABLE}test_a_full_server_refuses_with_503",
    ),
    ("send", State.IDLE): (_IDLE,),
    ("send", State.CONNECTING): (_CONNECTING,),
    ("send", State.OPEN): (_OPEN,),
    ("send", State.CLOSING): _CLOSING,
    ("send", State.CLOSED): (_IDLE,),
    ("close", State.IDLE): (_IDLE,),
    ("close", State.CONNECTING): (
        _CONNECTING,
        f"{TABLE}test_closed_before_anything_was_dialled",
        f"{PROXIED}test_closing_gives_up_the_talk_with_the_proxy",
    ),
    ("close", State.OPEN): (_OPEN,),
    ("close", State.CLOSING): (_CONNECTING, *_CLOSING),
    ("close", State.CLOSED): (_IDLE,),
    ("when_open", State.IDLE): (_IDLE,),
    ("when_open", State.CONNECTING): (_CONNECTING, "test_waits.py::test_failed_attempt"),
    ("when_open", State.OPEN): (_OPEN,),
    ("when_open", State.CLOSING): (_CONNECTING, _CLOSING[0]),
    ("when_open", State.CLOSED): (_IDLE, f"{TABLE}test_connected_already_and_refused"),
}
"""3.6, cell by cell."""

TABLES: Final[dict[str, Rows]] = {
    "1.2 calling convention": {
        "a Deferred that can be awaited": (
            "test_asyncio.py::test_tasks_of_asyncio_await_everything",
        ),
        "asFuture": ("test_awaiting.py::test_twisted_coroutine_started_in_a_task",),
        "callback": ("test_awaiting.py::test_attempt_with_callback",),
        "never raises": (
            "test_awaiting.py::test_a_bug_is_an_outcome_too",
            "test_outgoing.py::test_a_released_view_is_401",
        ),
        "True is not success": (f"{CLIENT}test_true_comes_before_any_event",),
        "ignored": (
            f"{CLIENT}test_nobody_looks_at_a_failed_send",
            "test_awaiting.py::test_what_is_logged_of_an_ignored_call",
        ),
    },
    "1.5 on and off": {
        "1 on returns, decorates": (f"{EMITTER}test_on_returns_the_listener_and_decorates",),
        "2 off": (
            f"{EMITTER}test_off_without_listener_clears_that_event_only",
            f"{EMITTER}test_off_of_a_stranger_is_silent",
        ),
        "3 several, equal once": (
            f"{EMITTER}test_bound_methods_are_one_listener",
            f"{EMITTER}test_registering_again_keeps_the_place",
        ),
        "4 order, snapshot": (
            f"{EMITTER}test_removed_and_added_while_telling",
            f"{EMITTER}test_listeners_behave_like_an_ordered_set",
        ),
        "5 the value only": (ONE_EVENT,),
        "6 what listeners raise": (
            f"{EMITTER}test_what_listeners_raise_is_logged",
            f"{EMITTER}test_async_listeners_are_not_waited_for",
            f"{WIRE}test_answer_and_two_frames_in_one_segment",
        ),
        "7 unknown, not callable": (
            f"{EMITTER}test_unknown_events",
            f"{EMITTER}test_listeners_must_be_callable",
        ),
        "8 over connections": (f"{CLIENT}test_listeners_of_the_object",),
        "9 dataEnd regardless; nobody listens": (
            f"{TABLE}test_data_end_follows_in_the_same_turn_listened_to_or_not",
            "test_mailbox.py::test_nobody_asked",
        ),
    },
    "2.1 URL": {
        "scheme": ("test_url.py::test_good_urls", "test_url.py::test_bad_urls"),
        "length": (
            "test_url.py::test_longest_urls",
            f"{TABLE}test_the_longest_url_is_connected_to",
        ),
        "query without path": (f"{TABLE}test_requests_on_the_wire",),
        "default port": ("test_url.py::test_good_urls",),
        "port, host, fragment": ("test_url.py::test_bad_urls",),
        "empty": ("test_url.py::test_bad_urls",),
        "control bytes": ("test_url.py::test_bad_urls",),
        "outside ASCII": ("test_url.py::test_good_urls", f"{TABLE}test_requests_on_the_wire"),
        "user": ("test_url.py::test_user_in_the_url", f"{TABLE}test_requests_on_the_wire"),
        "unix": ("test_url.py::test_bad_urls",),
        "IPv6": (f"{REQUEST}test_request_to_an_ipv6_address", "test_url.py::test_brackets"),
    },
    "2.3 data": {
        "types": ("test_outgoing.py::test_text_and_binary_are_told_by_type",),
        "surrogates": ("test_outgoing.py::test_what_cannot_be_sent_is_401",),
        "size out": (f"{TABLE}test_sizes_without_options", f"{TABLE}test_sizes_without_limits"),
        "size in": (f"{TABLE}test_sizes_without_options", f"{TABLE}test_sizes_without_limits"),
        "empty": (
            f"{WIRE}test_fragments_and_empty_messages",
            f"{CLIENT}test_data_comes_back_as_it_was",
        ),
    },
    "2.4 proxy": {
        "exclusion list": ("test_exclusion.py::test_the_documented_rules",),
        "system, order": ("test_system_proxy.py::test_the_first_of_the_order_wins",),
        "no_proxy": (
            "test_system_proxy.py::test_some_targets_are_reached_directly",
            f"{PROXIED}test_excluded_targets_are_reached_directly",
        ),
        "REQUEST_METHOD": ("test_system_proxy.py::test_a_request_header_is_no_proxy",),
        "schemes": (f"{PROXIED}test_each_way",),
        "other schemes": (f"{PROXIED}test_an_unusable_system_proxy_is_a_wrong_parameter",),
        "credentials together": ("test_proxy.py::test_credentials_count_together",),
    },
    "2.5 close options": {
        "codes": ("test_outgoing.py::test_only_sendable_codes_pass",),
        "defaults": ("test_outgoing.py::test_the_usual_close",),
        "reason": ("test_outgoing.py::test_reasons_are_cut_between_characters",),
    },
    "3.3 CloseResult": {
        "we closed first": (f"{CLIENT}test_each_sendable_close_code_arrives",),
        "peer closed with a code": (f"{CLIENT}test_server_closes",),
        "peer closed without a code": (f"{CLIENT}test_server_closes",),
        "TCP lost": (f"{WIRE}test_lost_without_close",),
        "pong timeout": (f"{TABLE}test_a_silent_server_is_lost",),
        "server stop": (f"{SERVER}test_stopping_closes_every_client",),
        "violation": (
            f"{WIRE}test_violations",
            f"{SERVER}test_violations_are_closed_with_their_code",
        ),
    },
    "4.3 TLS": {
        "custom CA": (
            f"{TLS}test_a_custom_root_is_trusted",
            f"{TLS}test_every_root_of_a_bundle_is_trusted",
        ),
        "name mismatch": (f"{TLS}test_another_name_is_refused_and_said",),
        "expired, unknown CA": (f"{TLS}test_a_server_that_cannot_be_verified_is_refused",),
        "encrypted client key": (
            f"{TLS}test_a_client_shows_its_certificate",
            f"{TLS}test_an_unfit_key_is_known_before_dialling",
        ),
        "client chain": (f"{TLS}test_a_client_sends_its_intermediates",),
        "server chain": (f"{TLS}test_a_server_sends_its_intermediates",),
        "key and certificate mismatch": (f"{TLS}test_an_unfit_key_is_known_before_dialling",),
        "client certificate required": (f"{TLS}test_a_server_may_require_certificates",),
        "skipped": (
            f"{TLS}test_verification_can_be_skipped",
            f"{TLS}test_skipping_keeps_the_other_options",
        ),
        "floor": (
            f"{TLS}test_a_floor_is_kept",
            f"{TLS}test_an_older_floor_admits_older_versions",
        ),
    },
    "4.4 CONNECT": {
        "request": (
            "test_http_connect.py::test_the_request_names_the_target",
            "test_http_connect.py::test_credentials_are_basic",
        ),
        "any 2xx": ("test_http_connect.py::test_any_success_opens_the_tunnel",),
        "anything else": ("test_http_connect.py::test_anything_else_is_refused_at_once",),
        "64 KiB": ("test_http_connect.py::test_an_endless_answer_is_refused",),
        "surplus": ("test_tunnel.py::test_data_goes_through_after_the_dialogue",),
        "TLS around it": (
            f"{PROXIED}test_each_way",
            f"{PROXIED}test_the_target_is_verified_through_a_proxy",
        ),
        "SOCKS5": ("test_proxy.py::test_names_and_addresses_are_asked_for_as_they_are",),
        "one timeout": (f"{PROXIED}test_a_proxy_that_lets_nothing_through_is_given_up",),
        "half-close": ("test_tunnel.py::test_half_of_a_connection_may_end",),
        "pace": ("test_tunnel.py::test_the_pace_of_the_reader_is_kept",),
    },
    "5 what Python users expect": {
        "events and coroutines": ("test_asyncio.py::test_tasks_of_asyncio_await_everything",),
        "open_web_socket": ("test_opening.py::test_awaited", "test_opening.py::test_not_opened"),
        "context manager": (
            "test_opening.py::test_entered",
            "test_opening.py::test_left_by_an_exception",
        ),
        "async iteration": (
            f"{TABLE}test_iteration_ends_as_that_of_websockets",
            f"{CLIENT}test_iteration_over_an_irregular_end",
            f"{WIRE}test_reading_is_held_between_messages",
        ),
        "recv": (f"{CLIENT}test_recv_without_keeping", "test_mailbox.py::test_two_waiters"),
        "send waits": (f"{WIRE}test_send_waits_for_the_server_to_read",),
        "compression": (
            f"{WIRE}test_compression_is_agreed_on",
            f"{TABLE}test_short_messages_are_not_compressed",
        ),
        "ping": (f"{WIRE}test_pings_in_both_directions",),
        "timeouts": ("test_options.py::test_usual_options",),
        "reconnect, waits": (
            "test_reconnect.py::test_waits_grow",
            "test_retrying.py::test_longest_waits",
        ),
        "reconnect, reset": ("test_reconnect.py::test_long_connections_count_as_success",),
        "reconnect, retried": (
            "test_retrying.py::test_closes_worth_retrying",
            "test_retrying.py::test_failures_worth_retrying",
            "test_reconnect.py::test_retry_after",
        ),
        "reconnect, given up": (
            "test_retrying.py::test_closes_for_good",
            "test_retrying.py::test_refusals_for_good",
            "test_retrying.py::test_certificates",
            "test_reconnect.py::test_wrong_options",
            "test_reconnect.py::test_closed_by_ourselves",
        ),
        "reconnect, stop": (
            "test_reconnect.py::test_stopped_while_waiting",
            "test_reconnect.py::test_stopped_while_connected",
        ),
        "redirects": (f"{CLIENT}test_redirect_is_not_followed",),
        "unsent after close": (f"{WIRE}test_send_fails_with_the_connection",),
        "exceptions": ("test_codes.py::test_error_of_a_code",),
        "headers, protocol, peer": (
            f"{CLIENT}test_refused_handshake",
            f"{CLIENT}test_subprotocol",
            f"{CLIENT}test_open",
        ),
        "thread": (f"{TABLE}test_the_thread_is_said_where_something_is_waited_for",),
    },
}
"""Other tables and lists, row by row."""

ACCEPTANCE: Final[dict[str, Rows]] = {
    "a": {
        "callback overloads": (
            f"{CLIENT}test_each_call_with_and_without_callback",
            f"{TABLE}test_each_way_to_connect",
            f"{TABLE}test_each_way_to_send",
            f"{TABLE}test_each_way_to_close",
        ),
        "events": (ONE_EVENT,),
    },
    "b": {
        "101 and two frames in one segment": (f"{WIRE}test_answer_and_two_frames_in_one_segment",),
        "open before the next read": (f"{WIRE}test_open_is_told_before_the_next_read",),
        "fragmented text": (f"{WIRE}test_fragments_and_empty_messages",),
        "empty binary": (f"{WIRE}test_fragments_and_empty_messages",),
        "failed connect": (f"{CLIENT}test_refused_handshake",),
        "abnormal loss": (f"{WIRE}test_lost_without_close",),
    },
    "c": {
        "IDLE and CLOSED": (_IDLE,),
        "CONNECTING": (_CONNECTING,),
        "OPEN": (_OPEN,),
        "CLOSING": _CLOSING,
        "reusable after a failure": (f"{TABLE}test_a_full_server_refuses_with_503",),
        "the last reference": (f"{TABLE}test_nobody_holds_the_client",),
    },
    "d": {
        "code and message": (
            "test_codes.py::test_every_code_has_the_documented_words",
            f"{TABLE}test_each_error_of_a_call",
            f"{TABLE}test_connected_already_and_refused",
        ),
        "order of connect": ("test_preparing.py::test_first_things_first",),
        "order of start": (f"{SERVER}test_codes_of_start_in_their_order",),
    },
    "e": {
        "URL table": (
            "test_url.py::test_good_urls",
            "test_url.py::test_bad_urls",
            f"{TABLE}test_requests_on_the_wire",
        ),
        "2048 and 2049 characters": (f"{TABLE}test_the_longest_url_is_connected_to",),
    },
    "f": {
        "bundle of two CAs": (
            f"{TLS}test_every_root_of_a_bundle_is_trusted",
            f"{WSS}test_a_bundle_of_roots_and_a_chain",
        ),
        "encrypted PKCS#8 and traditional keys": (
            f"{TLS}test_a_client_shows_its_certificate",
            f"{WSS}test_both_sides_know_each_other",
        ),
        "wrong password": (
            f"{TLS}test_an_unfit_key_is_known_before_dialling",
            f"{WSS}test_files_are_looked_at_before_dialling",
        ),
        "skip flag with SNI": (f"{TLS}test_verification_can_be_skipped",),
        "wrong name with the flag off": (
            f"{CLIENT}test_wrong_name_in_the_certificate",
            f"{WSS}test_a_server_that_cannot_be_verified",
        ),
    },
    "g": {
        "silent peer": (
            f"{WIRE}test_silent_server_is_dropped_in_time",
            f"{WIRE}test_the_interval_counts_from_the_last_sign_of_life",
            f"{TABLE}test_a_silent_server_is_lost",
        ),
        "chatty silent-pong peer": (
            f"{WIRE}test_chatty_server_without_pongs_is_kept",
            f"{WIRE}test_rarely_chatty_server_without_pongs_is_kept",
        ),
        "slow big frame": (f"{WIRE}test_slow_long_frame_is_kept",),
        "0 disables": (f"{WIRE}test_no_deadline",),
        "one ping a second": (f"{WIRE}test_healthy_server_gets_one_ping_an_interval",),
    },
    "h": {"Close without TCP drop": (f"{WIRE}test_server_says_close_and_stays",)},
    "i": {
        "none": (f"{PROXIED}test_excluded_targets_are_reached_directly",),
        "http, with credentials": (f"{PROXIED}test_each_way",),
        "407": (f"{PROXIED}test_a_refusing_proxy_is_quoted[407 Proxy Authentication Required]",),
        "502": (f"{PROXIED}test_a_refusing_proxy_is_quoted[502 Bad Gateway]",),
        "hanging": (f"{PROXIED}test_a_hanging_proxy_is_given_up",),
        "exclusion list": ("test_exclusion.py::test_the_documented_rules",),
        "no_proxy with CIDR": (
            "test_exclusion.py::test_networks_hold_addresses",
            f"{PROXIED}test_excluded_targets_are_reached_directly",
        ),
    },
    "j": {
        "sendable codes arrive": (
            f"{CLIENT}test_each_sendable_close_code_arrives",
            f"{SERVER}test_each_sendable_code_arrives",
        ),
        "forbidden ones are 401": (
            f"{CLIENT}test_forbidden_close_codes",
            f"{SERVER}test_codes_that_may_not_be_sent_are_401",
        ),
        "CloseResult": (
            f"{CLIENT}test_server_closes",
            "test_ending.py::test_who_closed_first_gives_the_code",
        ),
    },
    "k": {
        "duplicate headers": (
            f"{CLIENT}test_refused_handshake",
            "test_values.py::test_repeated_headers_are_a_list",
            ONE_EVENT,
        ),
        "non-UTF-8 headers": (f"{WIRE}test_header_that_is_no_utf8",),
        "302": (f"{CLIENT}test_redirect_is_not_followed",),
        "403": (f"{CLIENT}test_refused_handshake",),
        "garbage": (f"{WIRE}test_bad_answers[garbage]",),
        "HTTP/1.0": (f"{WIRE}test_bad_answers[HTTP/1.0]",),
    },
    "l": {
        "header validation": (
            "test_options.py::test_wrong_headers",
            "test_options.py::test_good_headers",
            f"{REQUEST}test_headers_of_the_application",
        ),
    },
    "m": {
        "negotiated": (
            f"{WIRE}test_compression_is_agreed_on",
            f"{INTEROP}test_foreign_servers_compress_as_our_client_wants",
        ),
        "refused": (f"{WIRE}test_compression_not_wanted",),
        "inflated over the limit": (f"{WIRE}test_small_bomb",),
    },
    "n": {
        "TCP": (f"{WIRE}test_send_waits_for_the_server_to_read",),
        "TLS": (f"{CLIENT}test_over_tls",),
    },
    "o": SERVER_CALLS,
    "p": {
        "distinct addresses": (f"{LISTENER}test_clients_are_addresses",),
        "of one address": ("test_admission.py::test_connections_of_one_address_are_limited",),
        "rate ban": (f"{LISTENER}test_hasty_clients_are_banned",),
        "simultaneous handshakes": (f"{LISTENER}test_simultaneous_handshakes_share_the_slots",),
        "slot freed": (f"{LISTENER}test_slots_are_given_back",),
        "idle TCP": (f"{LISTENER}test_idle_connections_take_no_slot",),
    },
    "q": {
        "vanishing during onConnect": (
            f"{LISTENER}test_a_client_that_vanishes_while_accept_decides_leaves_no_entry",
            "seam/test_server.py::test_a_client_that_vanishes_while_it_is_decided_on_is_never_open",
        ),
    },
    "r": {
        "closing without a code": (
            f"{SERVER}test_a_client_that_closes_without_a_code_disturbs_nobody",
        ),
    },
    "s": {
        "0, 1, many clients": (f"{SERVER}test_stopping_closes_every_client",),
        "one that never answers": (
            f"{SERVER}test_stopping_cuts_who_does_not_answer_and_who_is_not_open",
        ),
        "restart": (f"{SERVER}test_the_same_object_starts_again",),
    },
    "t": {
        "2302004": (f"{SERVER}test_an_address_that_is_not_ours",),
        "2302005": (f"{SERVER}test_a_port_that_is_taken",),
        "201": (
            f"{SERVER}test_what_the_system_says_about_a_port",
            f"{SERVER}test_the_permission_check",
        ),
    },
    "u": {
        "echo": (
            f"{INTEROP}test_foreign_clients_get_their_messages_back",
            f"{INTEROP}test_foreign_servers_send_our_messages_back",
        ),
        "compression": (
            f"{INTEROP}test_foreign_clients_compress_as_our_server_wants",
            f"{INTEROP}test_foreign_servers_compress_as_our_client_wants",
        ),
        "subprotocol": (
            f"{INTEROP}test_our_server_speaks_what_a_foreign_client_prefers",
            f"{INTEROP}test_our_client_speaks_what_a_foreign_server_chooses",
        ),
        "503": (f"{INTEROP}test_a_foreign_client_too_many_is_told_503",),
        "close codes both ways": (
            f"{INTEROP}test_foreign_clients_learn_our_servers_close",
            f"{INTEROP}test_our_server_learns_foreign_clients_close",
            f"{INTEROP}test_our_client_learns_foreign_servers_close",
            f"{INTEROP}test_foreign_servers_learn_our_clients_close",
        ),
    },
    "v": {
        "raises": (
            f"{EMITTER}test_what_listeners_raise_is_logged",
            f"{WIRE}test_answer_and_two_frames_in_one_segment",
            f"{SERVER}test_listeners_that_break_hurt_nobody",
        ),
        "is async and fails": (
            f"{EMITTER}test_what_listeners_raise_is_logged",
            f"{EMITTER}test_async_listeners_are_not_waited_for",
        ),
        "removes itself, adds another": (f"{EMITTER}test_removed_and_added_while_telling",),
        "closes": (f"{CLIENT}test_close_from_within_each_event",),
        "reconnects": (f"{CLIENT}test_connect_again_from_listeners",),
    },
    "w": {
        "no delayed call": ("conftest.py::nothing_left", f"{WIRE}test_no_timer_is_left"),
    },
    "x": {
        "log lines": (
            f"{CLIENT}test_secrets_stay_out_of_logs",
            f"{PROXIED}test_each_way",
            f"{WSS}test_files_are_looked_at_before_dialling",
        ),
        "repr": (
            "test_values.py::test_passwords_are_not_shown",
            "test_values.py::test_header_values_are_not_shown",
            "test_options.py::test_headers_are_not_shown",
            "test_url.py::test_secrets_are_not_shown",
            "test_proxy_server.py::test_the_password_is_not_shown",
            f"{TLS}test_no_secret_is_shown",
        ),
    },
}
"""The list of section 7, sub-clause by sub-clause."""
