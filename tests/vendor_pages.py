"""What the pages of Alchemy and Tokenview say of their behaviour, sentence by sentence.

Each sentence has a few words of the page by which it is found, what it says in short, and the tests
that show it here. Source: Alchemy, "Using WebSockets" (December 2020, in the Ukrainian translation
of ethereum.org); Tokenview, "Subscription API Quickstart". What only praises, names a product of
the vendor or tells where to click is left out.
"""

from typing import Final, NamedTuple


class Sentence(NamedTuple):
    """A statement of a page.

    Attributes:
        words: of the page, in its language.
        says: the statement in short.
        tests: that show it, below ``tests``.
    """

    words: str
    says: str
    tests: tuple[str, ...]


_ALCHEMY: Final = "dialects/test_alchemy.py::"
_TOKENVIEW: Final = "dialects/test_tokenview.py::"
_PAGES: Final = "test_vendor_pages.py::"
_PROTOCOL: Final = "server/test_protocol.py::"
_OUTAGE: Final = "client/ethereum/test_streams.py::test_an_outage_leaves_no_trace"
_LIVE: Final = "client/ethereum/test_client.py::test_an_outage_over_the_real_server"
_SDK: Final = "interop/test_alchemy_sdk.py::test_alchemy_sdk"

ALCHEMY: Final = (
    Sentence(
        "вам не потрібно постійно подавати запити",
        "nothing has to be asked again and again: events are sent",
        (_ALCHEMY + "test_two_more_methods",),
    ),
    Sentence(
        "WebSockets підтримує для вас мережеве з'єднання",
        "the connection is kept up and listened on, also while nothing happens",
        (
            _PROTOCOL + "test_silent_peer_is_pinged_then_dropped",
            _PAGES + "test_a_quiet_connection_stays",
        ),
    ),
    Sentence(
        "не слід вважати, що WebSocket залишатиметься відкритим назавжди",
        "connections break, and a client has to come back",
        (_OUTAGE, _LIVE),
    ),
    Sentence(
        "ви не отримуєте коди стану HTTP у відповіді, а лише повідомлення про помилку",
        "over WebSocket an error is a message, not a status",
        (_ALCHEMY + "test_errors_are_messages",),
    ),
    Sentence(
        "автоматично додає обробку збоїв WebSocket і повторює спробу",
        "the client library handles failures and retries without configuration",
        (
            _OUTAGE,
            _LIVE,
            f"{_SDK}[reconnects and fills the gap after the server was restarted]",
        ),
    ),
    Sentence(
        "За допомогою wscat ви можете надсилати запити",
        "wscat sends requests",
        ("interop/test_vendor_programs.py::test_wscat_asks_for_the_gas_price",),
    ),
    Sentence(
        "ви можете замінити `demo` на власний ключ API",
        "the key stands in the path; demo is one of them",
        (
            _PAGES + "test_the_first_request_of_alchemys_guide",
            "server/test_routes.py::test_keys_are_demanded_everywhere_once_configured",
            "integration/test_networks.py::test_refused_keys",
        ),
    ),
    Sentence(
        '>  {"jsonrpc":  "2.0", "id": 0, "method":  "eth_gasPrice"}',
        "the gas price is asked with the id 0 and answered with it",
        (_PAGES + "test_the_first_request_of_alchemys_guide",),
    ),
    Sentence(
        "відкрийте WebSocket за допомогою URL -адреси",
        "a WebSocket is opened with the URL",
        (_PAGES + "test_the_first_request_of_alchemys_guide",),
    ),
    Sentence(
        "відрізняється від її URL-адреси для запитів HTTP",
        "WebSocket and HTTP have different URLs",
        (
            "integration/test_conformance.py::test_paths[/ws/demo]",
            "integration/test_conformance.py::test_paths[/v2/demo]",
        ),
    ),
    Sentence(
        "Будь-який з API ... можна використовувати через WebSocket",
        "every method can be used over WebSocket",
        (
            _ALCHEMY + "test_the_same_payload_over_post_and_socket",
            "dialects/ethereum/test_methods.py::test_every_profile_serves_the_standard_methods",
        ),
    ),
    Sentence(
        "те саме корисне навантаження, яке буде надіслано як тіло запиту HTTP POST",
        "the payload is that of an HTTP POST",
        (
            _ALCHEMY + "test_the_same_payload_over_post_and_socket",
            "integration/test_conformance.py::test_both_transports_answer",
        ),
    ),
    Sentence(
        "передайте URL -адресу WebSocket замість URL -адреси HTTP",
        "a client of web3.js takes the WebSocket URL instead of the other",
        ("interop/test_vendor_programs.py::test_web3js_asks_for_the_height",),
    ),
    Sentence(
        "два додаткові методи: `eth_subscribe` та `eth_unsubscribe`",
        "over WebSocket there are two more methods",
        (
            _ALCHEMY + "test_two_more_methods",
            "dialects/ethereum/test_methods.py::test_http_has_no_subscriptions",
        ),
    ),
    Sentence(
        "прослуховувати певні події та отримувати негайне повідомлення",
        "they let one listen and be told at once",
        (
            _ALCHEMY + "test_two_more_methods",
            _PROTOCOL + "test_reply_with_the_id_comes_before_notices",
        ),
    ),
    Sentence(
        "Створює нову підписку на зазначені події",
        "each call makes a new subscription",
        (_ALCHEMY + "test_the_id_is_attached_to_events_and_cancels",),
    ),
    Sentence(
        "Перший аргумент визначає тип події",
        "the first argument names the kind of event, the second one its options",
        (
            _ALCHEMY + "test_the_second_argument_depends_on_the_first",
            "dialects/test_catalog.py::test_kinds_of_a_profile",
        ),
    ),
    Sentence(
        "цей ідентифікатор буде додаватися до будь-яких отриманих подій",
        "the id that is returned comes with each event and cancels the subscription",
        (_ALCHEMY + "test_the_id_is_attached_to_events_and_cancels",),
    ),
    Sentence(
        "Поки підписка активна, ви отримуватимете події, які є об’єктами з такими полями",
        "events are objects with jsonrpc, method and params with subscription and result",
        tuple(
            f"{_ALCHEMY}test_events_have_these_fields[{kind}]"
            for kind in ("alchemy_newFullPendingTransactions", "newHeads", "logs")
        ),
    ),
    Sentence(
        "для всіх транзакцій, доданих до стану очікування",
        "alchemy_newFullPendingTransactions tells of every transaction that becomes pending",
        (_ALCHEMY + "test_full_pending_transactions",),
    ),
    Sentence(
        "видає _повну інформацію про транзакцію_, а не просто хеші транзакцій",
        "in full, not as a hash",
        (
            _ALCHEMY + "test_full_pending_transactions",
            _PAGES + "test_the_pending_transaction_of_alchemys_guide",
        ),
    ),
    Sentence(
        '"params":  ["alchemy_newFullPendingTransactions"]',
        "the example: an id of 32 digits, then an object with these members",
        (
            _PAGES + "test_the_pending_transaction_of_alchemys_guide",
            "subscriptions/test_ids.py::test_every_id_has_32_digits_and_no_leading_zero",
        ),
    ),
    Sentence(
        "коли до ланцюжка додається новий заголовок, у тому числі під час реорганізації",
        "newHeads tells of each header that joins the chain, in a reorganisation, too",
        (_ALCHEMY + "test_heads_in_a_reorganisation",),
    ),
    Sentence(
        "подію, що містить усі нові заголовки для нового ланцюжка",
        "in a reorganisation all headers of the new chain are told",
        (
            _ALCHEMY + "test_heads_in_a_reorganisation",
            "integration/test_must_hold.py::test_reorganisation_folds_to_the_canonical_chain",
        ),
    ),
    Sentence(
        "декілька заголовків з однаковою висотою",
        "heights repeat, and the later header is the right one",
        (_ALCHEMY + "test_heads_in_a_reorganisation",),
    ),
    Sentence(
        '"params":  ["newHeads"]',
        "the example: a header with these members, receiptRoot among them",
        (
            _PAGES + "test_the_head_of_alchemys_guide",
            _ALCHEMY + "test_heads_carry_both_names_of_the_root",
        ),
    ),
    Sentence(
        "журнали, які є частиною нещодавно доданих блоків, що відповідають заданим критеріям",
        "logs of new blocks that match are sent",
        (_ALCHEMY + "test_only_logs_of_these_addresses", _ALCHEMY + "test_topic_specifications"),
    ),
    Sentence(
        "надсилатимуться знову з властивістю `removed`",
        "logs of the old chain come again with removed true",
        (_ALCHEMY + "test_logs_in_a_reorganisation",),
    ),
    Sentence(
        "можна кілька разів бачити журнали для однієї транзакції",
        "logs of the new chain are sent, so one transaction may have them several times",
        (_ALCHEMY + "test_logs_in_a_reorganisation",),
    ),
    Sentence(
        "`address` (необов'язково): рядок, що представляє адресу, або масив таких рядків",
        "address is optional, one or several",
        tuple(
            f"{_ALCHEMY}test_only_logs_of_these_addresses[{row}]"
            for row in (
                "a string representing an address",
                "or an array of such strings",
                "optional",
            )
        ),
    ),
    Sentence(
        "Будуть надсилатися лише журнали, створені з однієї з цих адрес",
        "only logs of these addresses are sent",
        (_ALCHEMY + "test_only_logs_of_these_addresses",),
    ),
    Sentence(
        "Кожен специфікатор теми — це `null`, рядок, що представляє тему, або масив рядків",
        "a position of topics is null, a topic, or several",
        (_ALCHEMY + "test_topic_specifications",),
    ),
    Sentence(
        "обмежує журнали, що видаються, лише тими, що мають одну із заданих тем у цій позиції",
        "a position that is not null demands one of its topics there",
        (_ALCHEMY + "test_topic_specifications",),
    ),
    Sentence(
        "`[]`: Дозволені будь-які теми",
        "five examples of topics",
        tuple(
            f"{_ALCHEMY}test_topic_specifications[{row}]"
            for row in (
                "[]: any topics allowed",
                "[A]: A in first position (and anything after)",
                "[null, B]: anything in first position and B in second position (and anything after)",
                "[A, B]: A in first position and B in second position (and anything after)",
                "[[A, B], [A, B]]: (A or B) in first and (A or B) in second position",
            )
        ),
    ),
    Sentence(
        '"params":  ["logs",  {"address":  "0x8320fe7702b96808f7bbc0d4a888ed1468216cfd"',
        "the example: a log with these members",
        (_PAGES + "test_the_log_of_alchemys_guide", _ALCHEMY + "test_the_example_of_a_log"),
    ),
    Sentence(
        "Скасовує наявну підписку, щоб більше не надсилалися події",
        "eth_unsubscribe takes the id and ends the events",
        (
            _ALCHEMY + "test_unsubscribing_stops_the_events",
            "dialects/test_session.py::test_silence_after_unsubscribe",
        ),
    ),
    Sentence(
        "або `false`, якщо підписки з указаним ідентифікатором не існувало",
        "true when it was cancelled, false when there was none",
        (
            _ALCHEMY + "test_unsubscribing_stops_the_events",
            "dialects/test_catalog.py::test_unsubscribing_what_is_not_there",
        ),
    ),
    Sentence(
        "curl https://eth-mainnet.alchemyapi.io/v2/your-api-key",
        "the example: unsubscribing by POST, without jsonrpc, is answered true",
        (
            _PAGES + "test_the_curl_of_alchemys_guide",
            "server/test_site.py::test_unsubscribing_over_http",
            _ALCHEMY + "test_a_request_without_version",
        ),
    ),
)

TOKENVIEW: Final = (
    Sentence(
        "enables two-way communication between a client and a server over a single TCP connection",
        "both sides talk over one connection",
        (
            _TOKENVIEW + "test_subscribe_returns_an_id_that_comes_with_each_notification",
            _PROTOCOL + "test_many_requests_in_one_write_are_all_answered_in_order",
        ),
    ),
    Sentence(
        "maintains a network connection between the two parties",
        "the connection is kept up, also while nothing happens",
        (
            _PROTOCOL + "test_silent_peer_is_pinged_then_dropped",
            _PAGES + "test_a_quiet_connection_stays",
        ),
    ),
    Sentence(
        "allowing for real-time, low-latency communication",
        "events are told at once, to many",
        (
            "integration/test_must_hold.py::test_block_of_500_transfers_within_a_second",
            "integration/test_must_hold.py::test_thousand_subscribers_see_every_head_in_order",
        ),
    ),
    Sentence(
        "the server maintains a record of the client's subscription state",
        "the server remembers what each client has asked for",
        (
            "subscriptions/test_registry.py::test_a_subscription_carries_what_delivery_needs",
            _TOKENVIEW + "test_unsubscribe_says_whether_it_cancelled",
        ),
    ),
    Sentence(
        "only sends new data that has changed or meets the client's subscription criteria",
        "only what is new and matches is sent",
        (
            _TOKENVIEW + "test_only_what_matches_is_sent",
            _TOKENVIEW + "test_notifications_are_for_current_events",
        ),
    ),
    Sentence(
        "ETH, ETC, BSC, KCC.",
        "four networks",
        (
            _TOKENVIEW + "test_networks",
            "integration/test_networks.py::test_the_network_of_the_path_answers",
            "integration/test_networks.py::test_networks_are_chains_of_their_own",
        ),
    ),
    Sentence(
        "Emits full transaction objects or hashes that are sent to the network",
        "tokenview_pendingTransactions sends objects or hashes that fit its filters",
        (_TOKENVIEW + "test_pending_transactions_by_party",),
    ),
    Sentence(
        "Emits transaction hashes that are sent to the network and marked as",
        "newPendingTransactions sends hashes",
        (
            _TOKENVIEW + "test_pending_hashes_come_again_after_a_reorganisation",
            "dialects/ethereum/test_topics.py::test_vendors_send_pending_hashes",
        ),
    ),
    Sentence(
        "Emits new blocks that are added to the blockchain",
        "newHeads tells of new blocks",
        (_TOKENVIEW + "test_subscribe_returns_an_id_that_comes_with_each_notification",),
    ),
    Sentence(
        "Emits logs attached to a new block that match certain topic filters",
        "logs tells of logs of new blocks that match",
        (_TOKENVIEW + "test_log_filters[only these specified topics]",),
    ),
    Sentence(
        "The node returns a subscription ID",
        "the answer of eth_subscribe is an id, and each notification has it",
        (_TOKENVIEW + "test_subscribe_returns_an_id_that_comes_with_each_notification",),
    ),
    Sentence(
        "returns a notification each time a new header is appended to the chain",
        "a notification for each header, in a reorganisation for all of the new chain",
        (_TOKENVIEW + "test_heads_repeat_heights_in_a_reorganisation",),
    ),
    Sentence(
        "the subscription can emit multiple headers at the same height",
        "heights repeat",
        (_TOKENVIEW + "test_heads_repeat_heights_in_a_reorganisation",),
    ),
    Sentence(
        "logs that are included in new imported blocks and match the given filter criteria",
        "matching logs of new blocks are sent",
        (_TOKENVIEW + "test_log_filters",),
    ),
    Sentence(
        "previously sent logs that are on the old chain are resent with the removed property",
        "logs of the old chain come again with removed true",
        (_TOKENVIEW + "test_logs_of_the_old_chain_are_resent_as_removed",),
    ),
    Sentence(
        "Logs from transactions that ended up in the new chain are emitted",
        "logs of the new chain are sent, those of one transaction maybe several times",
        (_TOKENVIEW + "test_logs_of_the_old_chain_are_resent_as_removed",),
    ),
    Sentence(
        "address: (optional) Either an address or an array of addresses",
        "address is optional, one or several, and only their logs are sent",
        tuple(
            f"{_TOKENVIEW}test_log_filters[{row}]"
            for row in ("both fields are optional", "address: an address", "or an array of them")
        ),
    ),
    Sentence(
        "topics: (optional) Only logs that match these specified topics are returned",
        "topics is optional, and only logs that match are sent",
        (
            _TOKENVIEW + "test_log_filters[only these specified topics]",
            _TOKENVIEW + "test_log_filters[both fields are optional]",
        ),
    ),
    Sentence(
        "We strongly recommend specifying a filter (address or topics or both)",
        "a filter is not demanded; both of its parts count together",
        (
            _TOKENVIEW + "test_log_filters[an empty filter]",
            _TOKENVIEW + "test_log_filters[address and topics]",
        ),
    ),
    Sentence(
        "Returns the hash for all transactions that are added to the pending state",
        "the hash of every transaction that becomes pending",
        (
            _TOKENVIEW + "test_pending_hashes_come_again_after_a_reorganisation",
            _PAGES + "test_pending_transactions_of_strangers_are_told",
        ),
    ),
    Sentence(
        "isn't part of the new canonical chain after a reorganization, it's emitted again",
        "what leaves the chain is pending again and told again",
        (
            _TOKENVIEW + "test_pending_hashes_come_again_after_a_reorganisation",
            "integration/test_reorganisations.py::test_the_engine_returns_lost_transactions",
        ),
    ),
    Sentence(
        "okenview_pendingTransactions: subscribes to pending transactions via WebSockets",
        "the name, also as it is misspelt here; from or to the addresses",
        (
            _TOKENVIEW + "test_pending_transactions_by_party",
            _TOKENVIEW + "test_no_kind_of_another_vendor",
        ),
    ),
    Sentence(
        "either full transaction objects or just transaction hashes depending on the request",
        "objects, or hashes by request",
        (_TOKENVIEW + "test_pending_transactions_by_party",),
    ),
    Sentence(
        "optionally include re-orged or removed transactions if specified",
        "what a reorganisation takes out of the chain is told again; there is no option for it",
        (_PAGES + "test_reorganised_transactions_are_told_again",),
    ),
    Sentence(
        "The ID of the newly created subscription on the node",
        "the id is of the new subscription",
        (
            _TOKENVIEW + "test_subscribe_returns_an_id_that_comes_with_each_notification",
            "subscriptions/test_ids.py::test_ids_differ",
        ),
    ),
    Sentence(
        "Notifications are sent for current events and not for past events",
        "nothing of the past is sent",
        (_TOKENVIEW + "test_notifications_are_for_current_events",),
    ),
    Sentence(
        "Subscriptions are coupled to a connection",
        "with the connection its subscriptions end, and another one cannot end them",
        (
            _TOKENVIEW + "test_subscriptions_end_with_their_connection",
            _PROTOCOL + "test_subscriptions_end_with_the_connection",
            "dialects/test_session.py::test_subscription_of_another_connection_is_unknown",
        ),
    ),
    Sentence(
        "Notifications are stored in an internal buffer and sent from this buffer",
        "a client that reads slowly gets everything later, in order",
        (_PROTOCOL + "test_slow_reader_gets_its_notices_later_in_order",),
    ),
    Sentence(
        "the number of buffered notifications reaches a limit (currently 10k)",
        "at ten thousand waiting notifications the connection is closed",
        (
            _TOKENVIEW + "test_ten_thousand_waiting_notifications_close_the_connection",
            _PROTOCOL + "test_ten_thousand_notices_are_too_many",
            _PROTOCOL + "test_notification_buffer_overflow_closes_1008",
        ),
    ),
    Sentence(
        "subscribing to some events can cause a flood of notifications",
        "a flood for one client costs the others nothing",
        (
            "server/test_fanout.py::test_slices_take_turns_and_keep_the_order",
            "server/test_fanout.py::test_events_that_come_too_fast_are_written_by_who_publishes_them",
        ),
    ),
    Sentence(
        "It returns a boolean indicating that the subscription was canceled successfully",
        "eth_unsubscribe answers whether it cancelled",
        (_TOKENVIEW + "test_unsubscribe_says_whether_it_cancelled",),
    ),
    Sentence(
        "wscat -c wss://services.tokenview.io/vipapi/websocket/node/{network}/{apikey} -x",
        "the example: eth_unsubscribe on that path",
        (
            _PAGES + "test_the_example_of_tokenview",
            _TOKENVIEW + "test_the_example_request",
            "interop/test_vendor_programs.py::test_wscat_executes_the_example_of_tokenview",
        ),
    ),
)
