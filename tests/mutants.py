"""`python -m tests.mutants [name ...]`: bugs that cost money or files, each caught by its test.

Each is one small edit of a function, class, constant or SQL statement, which is found by its name wherever it stands.
The edit is made in a copy of the tree. A bug counts as caught when the test named here fails
with it; that the test passes without it is what `make test` shows.
"""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import accumulate
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
ITEMS = "tests/catalogue/test_managing.py"
STORIES = "tests/payments/test_marking.py"
BOTH_SIDES = "tests/payments/test_both_sides.py"
CHANGING = "tests/payments/test_changing.py"
ANSWERS = "tests/payments/test_answers_changed.py"
FAULTY = "tests/payments/test_faulty_invoices.py"
ODD_VALUES = "tests/adapters/ledgers/test_odd_values.py"
SQL = "tests/adapters/ledgers/test_sql.py"
ODOO = "tests/adapters/ledgers/test_odoo.py"
WEBHOOKS = "tests/adapters/listener/test_webhooks.py"
EXPORTS = "tests/adapters/ledgers/test_exports.py"
FEED = "tests/contracts/test_export_feed.py"
STATEMENTS = "tests/adapters/ledgers/test_statements.py"
DELIVERIES = "tests/mirror/test_deliveries.py"
XERO = "tests/adapters/ledgers/test_xero.py"
QUICKBOOKS = "tests/adapters/ledgers/test_quickbooks.py"
ONLINE = "tests/payments/test_online_ledgers.py"
FLEET = "tests/adapters/state/postgresql/test_fleet.py"
MOVING = "tests/adapters/state/test_moving.py"
POSTGRES = "tests/adapters/state/postgresql/test_state.py"
SEGMENTS = "tests/exports/test_segments.py"
TABLES = "tests/exports/test_tables.py"
PUSHES = "tests/exports/test_pushes.py"
EXPORTING = "tests/payments/test_exporting.py"
LEASES = "tests/adapters/state/postgresql/test_leases.py"
RENEWAL = "tests/adapters/state/postgresql/test_lease_renewal.py"


@dataclass(frozen=True)
class Mutant:
    """`symbol` is the qualified name of what is edited; `before` stands in it exactly once; `test` has to fail."""

    name: str
    symbol: str
    before: str
    after: str
    test: str


MUTANTS = (
    Mutant(
        "the kill switch is not looked for once a bill was read",
        "EntrySender._create",
        "            if reason := await self.stopped():",
        "            if reason := '':",
        f"{EXPORTING}::test_the_kill_switch_holds_an_entry_whose_bill_is_being_read",
    ),
    Mutant(
        "a payment to the ledger leaves however late",
        "TimedPermit.lets_leave",
        "return self.left >= 0",
        "return self._asked_at is not None",
        "tests/adapters/ledgers/test_rest.py::test_a_payment_that_cannot_leave_within_five_seconds_does_not_leave",
    ),
    Mutant(
        "a payment is committed in the ledger's database however long that took",
        "SqlLedger._create",
        "            self._refuse_late(timed)",
        "            pass",
        f"{SQL}::test_what_took_longer_than_its_permit_is_good_is_not_committed",
    ),
    Mutant(
        "a payment waits for a lock in the ledger's database however long",
        "SqlLedger._longest",
        "min(timed.left, self._given.timeout)",
        "self._given.timeout",
        f"{SQL}::test_a_payment_waits_for_a_lock_no_longer_than_its_permit_is_good",
    ),
    Mutant(
        "an item that cannot be read ends the lap of its plan",
        "PlanLap._send",
        "        except _OF_ONE_ITEM as error:",
        "        except ZeroDivisionError as error:",
        f"{ITEMS}::test_an_item_that_cannot_be_read_stops_no_other",
    ),
    Mutant(
        "an answer with the id of another entry counts as a new one",
        "EntrySender._settle_accepted",
        "one.remote_id == receipt.key and one.id != intent.id",
        "one.id == intent.id and one.remote_id == receipt.key",
        f"{EXPORTING}::test_an_answer_with_the_id_of_another_entry_is_no_proof_of_a_second_one",
    ),
    Mutant(
        "an answer that names a payment of before counts as a new one",
        "PaymentSender._settle_sent",
        "payment is not None and payment.id in attempts[-1].known",
        "payment is not None and payment.id < 0",
        f"{STORIES}::test_an_answer_that_names_a_payment_of_before_is_no_proof_of_a_second_one",
    ),
    Mutant(
        "a credit note whose type comes as an object is paid",
        "_invoice",
        'reference(fields.get("logicType")) in _CREDIT_NOTES',
        'fields.get("logicType") in [*_CREDIT_NOTES]',
        f"{ODD_VALUES}::test_a_credit_note_is_one_in_whatever_shape_its_type_comes",
    ),
    Mutant(
        "a look-up whose row has no id ends the program",
        "RestLedger.find",
        "        except (Absent, CellError) as error:",
        "        except CellError as error:",
        "tests/adapters/ledgers/test_rest.py::test_a_look_up_that_proves_nothing_is_no_absence",
    ),
    Mutant(
        "an odd row in the list of invoices ends the lap of all payments",
        "read_mirrored",
        'if name != "payments"}',
        "if name}",
        f"{FAULTY}::test_a_list_row_whose_payments_cannot_be_read_costs_only_itself",
    ),
    Mutant(
        "where Precoro is down the first invoices are to blame",
        "LapFaults._failed_alone",
        "        return self.failed if is_known or await is_server_well() else {}",
        "        return self.failed",
        f"{FAULTY}::test_where_precoro_is_down_no_invoice_is_to_blame",
    ),
    Mutant(
        "what Precoro fails to note is sent for ever",
        "_leave_for_later",
        "isinstance(error, TemporaryError) and recorder.clock.now() < intent.since + _NOTED_WITHIN_S",
        "isinstance(error, TemporaryError)",
        f"{FAULTY}::test_what_precoro_fails_to_note_is_not_sent_for_ever",
    ),
    Mutant(
        "where the key lost its role each invoice is to blame",
        "LapFaults.alone",
        "**(self.refused if self.is_well else {})",
        "**self.refused",
        f"{FAULTY}::test_where_precoro_refuses_to_show_any_invoice_none_is_to_blame",
    ),
    Mutant(
        "where Precoro gives no invoice each of them is to blame",
        "LapFaults._failed_alone",
        "        if not self.failed or (self._is_out and not self.is_well):",
        "        if not self.failed:",
        f"{FAULTY}::test_where_precoro_gives_no_invoice_at_all_none_is_to_blame",
    ),
    Mutant(
        "invoices that fail for good keep the others waiting",
        "_failed_last",
        "return intent.obstacle is not None and intent.obstacle.kind is ObstacleKind.INVOICE_UNFIT",
        "return False",
        f"{FAULTY}::test_several_that_fail_for_good_keep_no_other_waiting",
    ),
    Mutant(
        "an invoice that does not come is asked for in each lap",
        "WatchedGateway.settle_faults",
        "            await self.answers.unfit.quarantine_faulty(idn, error)",
        "            pass",
        f"{FAULTY}::test_the_only_invoice_costs_five_calls_and_one_that_shows_that_precoro_is_well",
    ),
    Mutant(
        "an odd invoice ends the lap of all payments",
        "lacking",
        "        if one.breaks and one.only is None and",
        "        if one.breaks and",
        f"{ANSWERS}::test_an_invoice_that_alone_lacks_something_stops_no_other",
    ),
    Mutant(
        "an odd invoice is decided by as long as it is the only one",
        "WatchedGateway.read_invoice",
        "        await unfit.demand(idn, fresh)",
        "        pass",
        f"{ANSWERS}::test_an_invoice_that_alone_lacks_something_stops_no_other",
    ),
    Mutant(
        "what several invoices lack is taken for the first one's affair",
        "shown_by",
        "replace(one, only=None)",
        "one",
        f"{ANSWERS}::test_nothing_is_sent_or_decided_by_what_is_not_understood",
    ),
    Mutant(
        "an odd invoice in the mirror takes back what was exported",
        "InvoiceChecker._read",
        "paid.detail is not None and not self.lacks(paid.detail)",
        "paid.detail is not None",
        f"{ANSWERS}::test_what_an_odd_invoice_shows_takes_nothing_back",
    ),
    Mutant(
        "a long lap goes by what the ledger said at its beginning",
        "_Lap._send_planned",
        "            if job.access.clock.now() - self.read_at > LEDGER_STALE_S and not await self._read_ledger():",
        "            if not job:",
        f"{EXPORTING}::test_in_a_long_lap_nothing_is_recorded_by_what_the_books_said_long_ago",
    ),
    Mutant(
        "what an invoice hides is no payment of another program",
        "judge_hidden",
        "    may_be = invoice.hidden + ROUNDING_CENT >= amount or not invoice.standing",
        "    may_be = not invoice.standing",
        f"{CHANGING}::test_a_person_is_asked_where_what_an_invoice_hides_may_be_this_payment",
    ),
    Mutant(
        "a repeat beside an earlier request of another amount",
        "PaymentSender._judge",
        "fits_only_once(verdict.amount, invoice, earlier)",
        "fits_only_once(verdict.amount, invoice)",
        f"{CHANGING}::test_a_row_that_was_in_doubt_and_grew_is_not_sent_beside_the_earlier_request",
    ),
    Mutant(
        "a push answered with Retry-After keeps all others waiting",
        "is_of_the_record",
        "    if isinstance(failure, ReceiverBusy) and waited >= PATIENCE_S:",
        "    if isinstance(failure, ReceiverBusy) and failure.wait is None and waited >= PATIENCE_S:",
        f"{PUSHES}::test_one_at_which_the_receiver_says_when_to_come_again_blocks_no_others_for_ever",
    ),
    Mutant(
        "an answer counts as kept though its commit failed",
        "JoinedWrites._settle",
        "if not waiting.durable:",
        "if False:",
        "tests/adapters/state/test_joined_writes.py",
    ),
    Mutant(
        "the payment that a person names for a test brings all others along",
        "_Lap._send_planned",
        'if self.job.alone in ("", one.id))',
        "if one)",
        "tests/app/test_write_test.py::test_one_payment_is_sent_and_tells_whether_its_id_is_kept",
    ),
    Mutant(
        "an export moves on before its files are listed",
        "WriteSegments._write",
        "await store.write_text(manifest_path(one), self._manifest(one, files))\n",
        "\n",
        f"{SEGMENTS}::test_killed_at_any_step_it_is_the_mirror_and_nothing_is_there_twice",
    ),
    Mutant(
        "a range of changes is not settled before it is written",
        "WriteSegments.follow",
        "await self.feed.save_note(self.name, series.text)",
        "pass",
        f"{SEGMENTS}::test_killed_at_any_step_it_is_the_mirror_and_nothing_is_there_twice",
    ),
    Mutant(
        "files that are ahead of a restored state are gone on with",
        "goes_on",
        "one.upto > written.upto",
        "one.upto > written.upto + 10**9",
        f"{SEGMENTS}::test_a_state_that_was_restored_begins_a_new_series",
    ),
    Mutant(
        "a segment begins one change too late",
        "go_on",
        "Range(series.written.epoch, series.written.upto, end)",
        "Range(series.written.epoch, series.written.upto + 1, end)",
        f"{SEGMENTS}::test_a_snapshot_and_what_changed_since_are_the_mirror",
    ),
    Mutant(
        "a scan that is open is remembered as closed",
        "SqlMirror.commit_pages",
        "if before is not None and committed.closed:",
        "if before is not None:",
        "tests/contracts/test_mirror.py::test_where_a_collection_stands_is_known_whatever_changes_it",
    ),
    Mutant(
        "what a filter hides stays in exports",
        "SqlMirror.refilter",
        'session.run("mirror.log_change_of_record", row | {"kind": "updated", "at": time.time()})',
        "pass",
        f"{SEGMENTS}::test_a_filter_that_is_another_changes_what_is_there",
    ),
    Mutant(
        "tables that are ahead of a restored state are gone on with",
        "can_go_on",
        "standing.position <= position or standing.position == planned",
        "True",
        f"{TABLES}::test_a_restored_state_fills_the_tables_anew_and_a_restored_database_catches_up",
    ),
    Mutant(
        "a column that somebody dropped is missed for ever",
        "WriteTables._begun",
        "and await warehouse.holds(self.tables)",
        "",
        f"{TABLES}::test_what_somebody_dropped_comes_back_with_the_next_change",
    ),
    Mutant(
        "the position of tables is committed apart from their rows",
        "PostgresTables._copy",
        'assert self._connection is not None, "it is connected first"',
        'self._execute("COMMIT")',
        f"{TABLES}::test_what_the_database_refuses_takes_the_whole_range_back",
    ),
    Mutant(
        "tables of others are filled",
        "PostgresTables._refuse_others",
        "!= _TABLE_COMMENT.format(",
        "is Ellipsis and _TABLE_COMMENT.format(",
        f"{TABLES}::test_what_is_not_ours_is_left_alone",
    ),
    Mutant(
        "check leaves tables behind",
        "PostgresTables._try_out",
        "self._roll_back()",
        'self._execute("COMMIT")',
        "tests/exports/test_targets.py::test_tables_are_tried_and_nothing_stays",
    ),
    Mutant(
        "a payment does not follow what it pays",
        "read_touched",
        "AND @whole(records, invoice.id) IN (",
        "AND NOT @whole(records, invoice.id) IN (",
        f"{FEED}::test_a_payment_is_touched_by_what_it_pays",
    ),
    Mutant(
        "a file that is stored is no news to exports",
        "SqlAttachmentBook.save_kept",
        "_log_attached(session, collection, record_id)",
        "pass",
        f"{FEED}::test_who_follows_files_and_values_has_what_the_views_show",
    ),
    Mutant(
        "an option that is called otherwise is no news to exports",
        "_adopt",
        '_log(session, field, "offered", at)',
        "pass",
        f"{FEED}::test_who_follows_files_and_values_has_what_the_views_show",
    ),
    Mutant(
        "a push is signed with the present secret alone",
        "sign",
        "for secret in secrets)",
        "for secret in secrets[:1])",
        f"{PUSHES}::test_two_secrets_sign_while_they_are_changed",
    ),
    Mutant(
        "the position of pushes moves before they are delivered",
        "PushRecords._push",
        "async for dues in self._due(settled):",
        "await self.feed.move(Move(self.name, settled.after, settled.upto), settled.text)\n"
        "        async for dues in self._due(settled):",
        f"{PUSHES}::test_killed_at_any_step_nothing_is_lost_and_what_comes_again_has_its_id",
    ),
    Mutant(
        "an export that fails stops the others",
        "FollowExports.lap",
        "except DaemonError as error:",
        "except ZeroDivisionError as error:",
        "tests/exports/test_following.py::test_one_that_fails_stops_no_other_and_waits_longer_each_time",
    ),
    Mutant(
        "credit notes count among invoices",
        "define_views",
        "if view.kind:",
        'if view.kind == "credit note":',
        "tests/adapters/state/sqlite/test_views.py::test_credit_notes_are_no_invoices",
    ),
    Mutant(
        "minor units of every currency are hundredths",
        "_digits",
        'engine.words["digits"].format(currency=currency, **_CURRENCIES)',
        "str(USUAL_DIGITS)",
        "tests/adapters/state/sqlite/test_views.py::test_minor_units_are_the_same_amount_exactly_or_nothing",
    ),
    Mutant(
        "a worker that was replaced goes on writing",
        "EpochFence._found",
        "is not None",
        "is not Ellipsis",
        f"{FLEET}::test_workers_that_die_or_sleep_never_serve_a_company_side_by_side",
    ),
    Mutant(
        "a hand-over does not wait for a transaction",
        "check",
        "FOR SHARE",
        "FOR KEY SHARE",
        f"{LEASES}::test_the_fence_refuses_who_was_replaced_and_holds_up_a_hand_over",
    ),
    Mutant(
        "a former epoch of the same worker may write",
        "check",
        "AND epoch = %(epoch)s",
        "AND epoch >= %(epoch)s",
        f"{LEASES}::test_a_company_that_came_back_under_a_later_epoch_is_not_the_former_one",
    ),
    Mutant(
        "a worker goes by a clock of its own until Precoro answers",
        "RealClock.begin_at",
        "self._origin += shift",
        "pass",
        "tests/adapters/host/test_clock.py::test_until_a_server_sets_it_it_goes_by_what_others_agree_on",
    ),
    Mutant(
        "workers of one address each call at its whole rate",
        "EgressBrake.wait",
        "self._interval * self._processes",
        "self._interval",
        "tests/adapters/http/test_brake.py::test_workers_of_one_address_divide_its_rate_while_they_live",
    ),
    Mutant(
        "an address forgets when its last call left",
        "EgressBrake.wait",
        "self._left_at = anyio.current_time()",
        "pass",
        "tests/adapters/http/test_brake.py::test_calls_of_all_companies_keep_to_the_rate_of_their_address",
    ),
    Mutant(
        "a webhook that came again while it was taken is lost",
        "remove_deliveries",
        "AND waits.received = taken.received",
        "",
        "tests/adapters/state/postgresql/test_inbox.py::test_one_that_comes_again_while_it_is_taken_stays",
    ),
    Mutant(
        "webhooks of a company wait without bound",
        "put_deliveries",
        "WHERE given.known OR given.place <= room.left",
        "",
        "tests/adapters/state/postgresql/test_inbox.py::test_too_many_of_one_company_are_refused_and_others_are_not",
    ),
    Mutant(
        "a webhook is kept for another state of the same name",
        "put_deliveries",
        "AND schema = %(schema)s",
        "AND %(schema)s IS NOT NULL",
        "tests/adapters/state/postgresql/test_inbox.py"
        "::test_nothing_is_kept_for_a_company_that_the_fleet_does_not_know_by_this_state",
    ),
    Mutant(
        "a lease about to end permits a payment",
        "check_permit",
        "clock_timestamp() + %(reserve)s",
        "clock_timestamp() + 0 * %(reserve)s",
        f"{LEASES}::test_a_permit_needs_a_third_of_the_lease_and_the_rest_of_the_state_does_not",
    ),
    Mutant(
        "calls whose limits are lifted leave for a company that is served elsewhere",
        "Gate.refuse_if_stopped",
        "self._tenure.refuse_if_lost()",
        "pass",
        "tests/adapters/http/test_throttled.py::test_no_call_leaves_for_a_company_that_is_served_elsewhere",
    ),
    Mutant(
        "companies outlive the lease of a silent database",
        "FleetWorker._end_in_time",
        "self._lose_all(everything)",
        "pass",
        "tests/runtime/test_fleet_worker.py::test_a_database_that_keeps_silent_lengthens_no_tenure",
    ),
    Mutant(
        "a worker whose loop is stuck keeps its companies",
        "LeaseRenewal._turn",
        "hands_over(silent_for, self._lease)",
        "hands_over(0 * silent_for, self._lease)",
        f"{RENEWAL}::test_a_loop_that_is_stuck_leaves_its_companies_to_others_after_two_leases_and_knows",
    ),
    Mutant(
        "a lease that ran out is taken for one that was renewed",
        "LeaseRenewal._renew",
        "return bool(",
        "return 0 <= (",
        f"{LEASES}::test_a_lease_that_ran_out_is_never_renewed_and_its_companies_are_free",
    ),
    Mutant(
        "a renewal waits for the disk",
        "renew",
        "'synchronous_commit', 'off'",
        "'synchronous_commit', 'on'",
        f"{RENEWAL}::test_commits_that_wait_for_a_disk_or_a_standby_cost_no_lease",
    ),
    Mutant(
        "a session of a dead worker in the midst of a COPY is left alone",
        "PostgresLeases.take",
        "len(taken) < most",
        "len(taken) > most",
        f"{LEASES}::test_a_worker_that_is_stopped_inside_a_transaction_keeps_its_company_for_a_lease_at_most",
    ),
    Mutant(
        "a state that was moved away goes on",
        "refuse_moved",
        "if moved:",
        "if moved and arriving:",
        f"{MOVING}::test_the_former_state_says_where_it_went_and_the_new_one_goes_on",
    ),
    Mutant(
        "a state that did not arrive is used",
        "refuse_moved",
        "if arriving:",
        "if arriving and moved:",
        f"{MOVING}::test_killed_at_any_line_one_of_both_is_whole_and_the_other_refused",
    ),
    Mutant(
        "a move leaves both states in use",
        "_finish",
        "if left.moved is None:",
        "if left.moved is not None:",
        f"{MOVING}::test_the_former_state_says_where_it_went_and_the_new_one_goes_on",
    ),
    Mutant(
        "a moved state that was not armed gets armed",
        "_switch",
        "keep and read_switch(session, guard).armed",
        "keep",
        f"{MOVING}::test_payments_stay_armed_only_where_that_is_asked_for",
    ),
    Mutant(
        "a former holder of a state on PostgreSQL goes on writing",
        "Holder.__init__",
        "SELECT demand_holder({count})",
        "SELECT {count}",
        f"{POSTGRES}::test_who_lost_the_lock_unnoticed_writes_nothing_once_another_has_it",
    ),
    Mutant(
        "a copy of a database is taken for the one that sent",
        "PostgresRestoreGuard.read",
        "row is None or not",
        "row is None and not",
        "tests/contracts/test_journal.py",
    ),
    Mutant(
        "a permit counts before the end of its transaction is answered",
        "PostgresTransactions._write",
        "session.end()",
        "pass",
        f"{POSTGRES}::test_nothing_is_done_by_leave_of_a_transaction_whose_end_is_not_known",
    ),
    Mutant(
        "a grant that was written whole is thrown away",
        "GrantFile.recovered",
        "left.serial == grant.serial + 1",
        "left.serial == grant.serial + 2",
        "tests/adapters/grants/test_kills.py::test_without_a_grace_only_while_the_answer_is_on_its_way",
    ),
    Mutant(
        "an old partial file takes the place of a grant",
        "GrantFile.recovered",
        "left.serial == grant.serial + 1",
        "left.serial <= grant.serial + 1",
        "tests/adapters/grants/test_bearer.py::test_a_partial_file_is_taken_up_only_whole_and_next",
    ),
    Mutant(
        "a stop cuts a refresh off",
        "GrantBearer._refreshed",
        "await to_end(self._refresh(grant, now))",
        "await self._refresh(grant, now)",
        "tests/adapters/grants/test_bearer.py::test_cancelled_refresh_is_carried_to_its_end",
    ),
    Mutant(
        "two refresh at once",
        "GrantBearer._refreshed",
        "            if grant.is_fresh(now):  # another process was faster",
        "            if False:",
        "tests/adapters/grants/test_bearer.py::test_many_at_once_refresh_once",
    ),
    Mutant(
        "an outage asks for a login",
        "_refusal",
        "    if answer.status == 429 or answer.status >= 500 or code in _NOT_NOW:",
        "    if code in _NOT_NOW:",
        "tests/adapters/grants/test_bearer.py::test_what_may_pass_costs_nothing",
    ),
    Mutant(
        "a total that disagrees is passed over",
        "PageScan._check_total",
        "total > self._rows",
        "total < 0",
        "tests/adapters/ledgers/test_paging.py::test_pages_that_name_the_next_bring_all_rows_or_an_error",
    ),
    Mutant(
        "a short page is the last one",
        "PageScan._next_number",
        "if rows and self._pages == 1",
        "if rows and self._pages == 0",
        "tests/adapters/ledgers/test_paging.py::test_numbered_pages_bring_all_rows",
    ),
    Mutant(
        "a key with dots is nowhere",
        "_step",
        "range(1, len(steps) + 1)",
        "range(1, 2)",
        "tests/adapters/ledgers/test_paging.py::test_a_list_of_odata_is_read_to_its_end",
    ),
    Mutant(
        "a restart forgets what was learned of the line",
        "Gate.recall",
        """        self._pace.recall(lessons)""",
        """        pass""",
        "tests/adapters/http/test_gate.py::test_the_next_process_knows_the_line_and_the_others_on_the_key",
    ),
    Mutant(
        "the plan divides calls that others make",
        "plan_for",
        """calls - others[window]""",
        """calls""",
        "tests/quota/test_plan.py::test_what_others_on_the_key_make_is_not_divided_again",
    ),
    Mutant(
        "a call that is only outranked seems stuck",
        "Gate._let_others_go",
        """            self._progress.outranked(call.lane)""",
        """            pass""",
        "tests/adapters/http/test_gate.py"
        "::test_a_call_that_lets_more_urgent_ones_go_gives_signs_of_life_and_one_behind_a_stopped_gate_does_not",
    ),
    Mutant(
        "retry a POST on time-out",
        "outcome_of_failure",
        """    if isinstance(error, DoubtfulError):
        return Outcome(OutcomeKind.UNKNOWN, str(error))
    if isinstance(error, TemporaryError):""",
        """    if isinstance(error, (DoubtfulError, TemporaryError)):""",
        f"{STORIES}::test_a_payment_whose_answer_is_lost_is_found_and_not_sent_again",
    ),
    Mutant(
        "count as done what the ledger recorded otherwise",
        "EntrySender._settle_accepted",
        "if why := fault(receipt, terms_of(intent), bill):",
        "if why := '':",
        "tests/payments/test_exporting.py::test_what_the_books_recorded_otherwise_is_no_success",
    ),
    Mutant(
        "record more than is open on the bill",
        "judge_bill",
        "if terms.amount > bill.open:",
        "if terms.amount > 2 * bill.open:",
        "tests/payments/test_exporting.py::test_a_bill_that_does_not_take_the_payment_holds_it",
    ),
    Mutant(
        "record for a bill that somebody else paid in part",
        "judge_bill",
        "bill.open + ROUNDING_CENT < known_open and question",
        "bill.open < 0 and question",
        "tests/payments/test_exporting.py::test_a_person_is_asked_once_where_somebody_else_paid_the_bill",
    ),
    Mutant(
        "what a database committed late is never read",
        "SqlLedger.recorded",
        "reach_back(start, self._given.overlap)",
        "start",
        "tests/adapters/ledgers/test_sql.py::test_what_was_committed_late_is_read",
    ),
    Mutant(
        "two entries under one key of ours are recorded a third time",
        "EntrySender._create",
        "        if several:",
        "        if not several:",
        "tests/payments/test_exporting.py::test_two_entries_under_one_key_of_ours_where_a_repeat_makes_nothing_new",
    ),
    Mutant(
        "what waits for a login rests ever longer",
        "GrantBearer._refreshed",
        'raise _awaited(f"there is no grant',
        'raise LoginNeeded(f"there is no grant',
        "tests/adapters/grants/test_bearer.py::test_no_grant_yet",
    ),
    Mutant(
        "record a copy that a connector brought back",
        "_judge",
        "    copied = _copied(invoice, payment, known)",
        "    copied = ''",
        "tests/payments/test_exporting.py::test_a_copy_of_what_we_made_from_the_books_asks_a_person",
    ),
    Mutant(
        "take any memo for a key of ours",
        "LedgerAccess._normal",
        'ours=key_in(row.ours or "")',
        "ours=row.ours",
        "tests/payments/test_identity.py::test_a_memo_that_begins_with_our_name_is_no_proof",
    ),
    Mutant(
        "hold a payment for a supplier that nobody linked",
        "_other_supplier",
        "if terms.supplier_id and supplier.external_id and not",
        "if terms.supplier_id and not",
        "tests/payments/test_identity.py::test_a_supplier_that_nobody_linked_cannot_differ",
    ),
    Mutant(
        "read nothing again when the settings of the ledger change",
        "LedgerAccess._follow_settings",
        "if before is not None or await",
        "if await",
        "tests/payments/test_reading.py::test_other_settings_read_everything_again_once",
    ),
    Mutant(
        "keep what is gone among what cannot be read",
        "LedgerAccess.read",
        "        if position is None:",
        "        if position == '':",
        "tests/payments/test_reading.py::test_what_is_gone_leaves_the_list_when_the_ledger_is_read_again",
    ),
    Mutant(
        "forget the parts of a document that the books undid",
        "payments_of_document",
        "key > :key || '/' AND key < :key || '0'",
        "key > :key || '0' AND key < :key || '/'",
        f"{BOTH_SIDES}::test_a_document_undone_in_the_books_is_a_persons_affair_part_by_part",
    ),
    Mutant(
        "take the days that an invoice does not repeat for missing",
        "Payment.completed",
        "if self.day is None else (self.day, self.utc_day)",
        "if self.day else (self.day, self.utc_day)",
        "tests/payments/test_exporting.py::test_days_that_the_invoice_does_not_repeat_come_from_the_mirrored_payments",
    ),
    Mutant(
        "take a zero for an id",
        "usable_id",
        'return key if said.strip("0-") and said not in _NO_IDS else None',
        "return key if said else None",
        "tests/payments/test_exporting.py::test_what_the_books_recorded_otherwise_is_no_success",
    ),
    Mutant(
        "count as done what a doubt finds otherwise than it was sent",
        "_found",
        "if why := fault(receipt, terms_of(intent), access.name_of(invoices[0]) if invoices else None):",
        "if why := '':",
        "tests/payments/test_exporting.py::test_what_a_doubt_finds_otherwise_than_it_was_sent_is_no_success",
    ),
    Mutant(
        "follow an entry of ours into another currency",
        "follow_entries",
        'same = payment.amount == intent.amount and payment.currency in ("", intent.currency)',
        "same = payment.amount == intent.amount",
        "tests/payments/test_exporting.py::test_an_entry_that_comes_back_in_another_currency_goes_to_a_person",
    ),
    Mutant(
        "check-then-post without a journal",
        "SqlJournal.begin",
        """        after, *_ = await self._transactions.write(work, then=advance)
        return after""",
        """        return moved(intent, step)""",
        f"{STORIES}::test_a_crash_after_the_request_was_carried_out_is_not_sent_again",
    ),
    Mutant(
        "a ledger that cannot be used ends the run",
        "Scheduler._lap_of_run",
        """            case PartUnusable() as cause:
                _log.error("job_blocked", job=job.name, reason=str(cause))
                job.status.move(Event.FAIL)
""",
        "",
        "tests/runtime/test_once.py::test_a_part_that_cannot_be_used_ends_its_own_jobs_and_is_told_once",
    ),
    Mutant(
        "what is cancelled while it is sent leaves no doubt",
        "write_once",
        "        if begun is not None:",
        "        if False:",
        "tests/writes/test_sending.py::test_what_is_cancelled_after_the_permit_is_recorded_as_lost",
    ),
    Mutant(
        "the error page of a proxy is believed",
        "outcome_of_reply",
        "    if reply.own and reply.status in convention.believed:",
        "    if reply.status in convention.believed:",
        "tests/writes/test_rules.py::test_what_an_answer_means",
    ),
    Mutant(
        "no quarantine",
        "judge",
        """    if not is_probably_absent(doubt.sent_at, doubt.checks + 1, now):
        return Ruling(Check(again), "not there so far")
    if invoice is None:""",
        """    if invoice is not None:
        return Ruling(Repeat(), "not there")
    if invoice is None:""",
        f"{STORIES}::test_a_request_that_arrives_hours_late_is_no_second_payment",
    ),
    Mutant(
        "SENDING written after the POST",
        "Throttled.send_once",
        """            await permit()
            return await self._carry(request, call)""",
        """            answer = await self._carry(request, call)
            await permit()
            return answer""",
        f"{STORIES}::test_a_crash_after_the_request_was_carried_out_is_not_sent_again",
    ),
    Mutant(
        "match by amount only",
        "match",
        """    if len(live) != 1:
        return _not_one(payment, live, named)
    [invoice] = live""",
        """    live = [invoice for invoice in live if invoice.remainder == payment.amount]
    if not live:
        return _not_one(payment, live, named)
    invoice = live[0]""",
        f"{STORIES}::test_an_ambiguous_name_goes_to_review_and_never_to_a_guess",
    ),
    Mutant(
        "supplier not compared",
        "_other_supplier",
        "    if terms.supplier is not None and not is_supplier(terms.supplier, supplier):",
        "    if False:",
        f"{STORIES}::test_what_does_not_fit_waits_for_a_person",
    ),
    Mutant(
        '"already paid" taken as success',
        "HttpPaymentGateway.create_payment",
        "        return await self._writes.write(request, permit, read, _PAYMENT_CONVENTION)",
        """        outcome = await self._writes.write(request, permit, read, _PAYMENT_CONVENTION)
        if "sumPaid" not in outcome.text:
            return outcome
        return Outcome(type(outcome.kind)("accepted"), "", _payment(b'{"id": 1}'))""",
        f"{STORIES}::test_already_paid_is_no_success",
    ),
    Mutant(
        "synchronous=OFF",
        "open_held",
        'connection.execute("PRAGMA synchronous = FULL")',
        'connection.execute("PRAGMA synchronous = OFF")',
        "tests/contracts/test_journal.py::test_what_is_written_is_on_the_disk_when_it_returns",
    ),
    Mutant(
        "float amount",
        "_EXACT_DECODER",
        "parse_float=Decimal",
        "parse_float=lambda text: Decimal(float(text))",
        "tests/payments/test_amounts.py::test_amounts_wire_to_wire",
    ),
    Mutant(
        "float in the source",
        "cap_reached",
        "    if caps.per_payment is not None and amount > caps.per_payment:",
        "    if caps.per_payment is not None and float(amount) > float(caps.per_payment):",
        "tests/payments/test_amounts.py::test_no_float_on_the_way",
    ),
    Mutant(
        "a refusal after a doubt ends it",
        "PaymentSender._settle_sent",
        "        elif outcome.kind is OutcomeKind.REFUSED and clean:",
        "        elif outcome.kind is OutcomeKind.REFUSED:",
        f"{STORIES}::test_a_refusal_after_a_doubt_is_a_doubt",
    ),
    Mutant(
        "a repeat where two of it fit",
        "fits_only_once",
        "    return amount - ROUNDING_CENT <= remainder < amount + min((amount, *earlier))",
        "    return amount - ROUNDING_CENT <= remainder",
        f"{STORIES}::test_a_guarded_repeat_is_made_only_where_two_cannot_both_fit",
    ),
    Mutant(
        "a repeat where payments do not show",
        "Invoice.hides",
        "        return self.hidden > ROUNDING_CENT",
        "        return False",
        "tests/payments/test_answers_changed.py::test_a_doubt_is_not_sent_again_because_payments_do_not_show",
    ),
    Mutant(
        "an invoice that is not understood is decided by",
        "WatchedGateway._see",
        "        await self.answers.demand()",
        "        pass",
        f"{ANSWERS}::test_nothing_is_sent_or_decided_by_what_is_not_understood",
    ),
    Mutant(
        "a change of an answer is told at every start",
        "Sentinel.load",
        "        self._changes = await self.book.changes()",
        "        self._changes = ()",
        "tests/mirror/test_sentinel.py::test_a_change_is_told_once_and_ends",
    ),
    Mutant(
        "sent on a connection that took too long",
        "PermitState.lets_leave",
        "        return max(now - self.given_at, real_now - self.asked_at) <= PERMIT_GOOD_FOR_S",
        "        return True",
        f"{STORIES}::test_what_provably_never_left_is_sent_later",
    ),
    Mutant(
        "a permit is fresh for who slept while it was made durable",
        "PermitState.lets_leave",
        "real_now - self.asked_at",
        "0",
        "tests/adapters/precoro/test_paying.py::test_nothing_leaves_by_a_permit_that_took_more_than_five_real_seconds",
    ),
    Mutant(
        "what is recorded elsewhere leaves by a permit that was long in coming",
        "write_once",
        "elapsed() - asked_at > PERMIT_GOOD_FOR_S",
        "elapsed() - asked_at < 0",
        "tests/writes/test_sending.py::test_a_permit_that_was_long_in_coming_lets_nothing_leave",
    ),
    Mutant(
        "a restored store stays armed",
        "read_switch",
        "    if testimony.seq and testimony.row != fingerprint(session, testimony.seq):",
        "    if testimony.seq > session.value('journal.last_line'):",
        "tests/contracts/test_journal.py::test_a_restored_store_is_not_armed",
    ),
    Mutant(
        "a payment is searched by date and not by name",
        "_found",
        "    mine = [payment for payment in payments if payment.external_id in doubt.names]",
        "    mine = [payment for payment in payments if payment.amount == doubt.amount]",
        f"{STORIES}::test_a_new_payment_without_our_id_goes_to_a_person",
    ),
    Mutant(
        "an echo before the outcome is known",
        "_waits",
        "    if any(payment.amount == one.amount and payment.id not in one.known for one in known.pending):",
        "    if False:",
        "tests/payments/test_exporting.py::test_no_echo_of_a_payment_whose_outcome_is_not_known_yet",
    ),
    Mutant(
        "our own entry taken for a payment of the books",
        "match_candidates",
        """        ledger_payments.ours IS NULL OR EXISTS (
""",
        """        TRUE OR EXISTS (
""",
        f"{BOTH_SIDES}::test_what_another_company_made_in_the_same_books_is_no_payment_of_ours",
    ),
    Mutant(
        "a copy of our own entry is ours",
        "recognise_payment",
        "first.key <> :key",
        "FALSE",
        f"{BOTH_SIDES}::test_a_copy_of_our_entry_with_our_key_goes_to_a_person",
    ),
    Mutant(
        "a copy of our own entry is sent unasked",
        "judge",
        '    if verdict.kind == "plan" and candidate.payment.ours is not None:',
        "    if False:",
        f"{BOTH_SIDES}::test_a_copy_of_our_entry_with_our_key_goes_to_a_person",
    ),
    Mutant(
        "the random schedules see a blind retry",
        "outcome_of_failure",
        """    if isinstance(error, DoubtfulError):
        return Outcome(OutcomeKind.UNKNOWN, str(error))
    if isinstance(error, TemporaryError):""",
        """    if isinstance(error, (DoubtfulError, TemporaryError)):""",
        "tests/payments/test_schedules.py::test_random_schedules",
    ),
    Mutant(
        "what the books changed is accepted without a word",
        "_follow",
        "            await recorder.follow(intent, event, verdict.reason or intent.reason, payment)",
        "            await access.payments.accept(access.name, payment)",
        f"{CHANGING}::test_a_held_payment_shows_what_the_books_say_by_now",
    ),
    Mutant(
        "the random courses see what is linked and what was planned drift apart",
        "SqlJournal.record.work",
        """session.run("ledger_payments.accept_payment", (payment.facts, intent.ledger, payment.key))""",
        """pass""",
        "tests/payments/test_schedules.py::test_books_that_change_their_mind_while_payments_are_sent",
    ),
    Mutant(
        "what was withdrawn stays so",
        "begun_again",
        "    if intent.state is not State.REJECTED:",
        "    if True:",
        f"{CHANGING}::test_what_moved_there_and_back_is_paid_where_it_began",
    ),
    Mutant(
        "sent by an invoice that was read long ago",
        "INVOICE_STALE_S",
        "INVOICE_STALE_S = 180.0",
        "INVOICE_STALE_S = 1e9",
        f"{CHANGING}::test_nothing_is_sent_by_an_invoice_that_was_read_long_ago",
    ),
    Mutant(
        "a row that cannot be read stays planned",
        "follow_changes",
        """    await hold_unreadable(access, recorder)
""",
        "",
        f"{CHANGING}::test_a_row_that_cannot_be_read_any_more_is_held_until_it_can",
    ),
    Mutant(
        "a person's decision takes the amount that was held",
        "repost",
        "Repost(answered, payment.terms)",
        "Repost(answered)",
        f"{CHANGING}::test_what_was_dropped_and_then_changed_is_reposted_as_the_books_have_it",
    ),
    Mutant(
        "what only a person can see is forgotten when the books change",
        "_follow",
        'case _ if verdict.kind == "hold" or (await recorder.journal.past(intent.id)).asked:',
        'case _ if verdict.kind == "hold":',
        f"{CHANGING}::test_what_a_person_was_asked_is_not_forgotten_whatever_the_books_do_in_turn",
    ),
    Mutant(
        "found with whatever amount",
        "compare",
        "    if payment is None or not (why := _difference(payment, intent)):",
        "    if True:",
        f"{CHANGING}::test_what_is_found_with_another_amount_than_the_books_have_goes_to_a_person",
    ),
    Mutant(
        "a cut-off scan does not check the page before",
        "_check_page_before",
        "    return replace(scan, drifted=scan.drifted or bool(moved)), None",
        "    return replace(scan, drifted=scan.drifted), None",
        "tests/mirror/test_scanning.py::"
        "test_a_row_that_slipped_to_a_page_already_read_while_nobody_listened_is_not_missed",
    ),
    Mutant(
        "a wave of 404 is believed",
        "Details.mark_gone",
        "if judge(missing, live, max_share=self.max_vanished, askable=False).refused:",
        "if False:",
        "tests/mirror/test_details.py::test_details_that_are_not_there_for_a_while_take_no_document_away",
    ),
    Mutant(
        "a write leaves out what it cannot read",
        "ItemWriter.prepare",
        "        if odd := unsayable(before, write.step.wanted, self._fields):",
        "        if odd := []:",
        "tests/catalogue/test_managing.py::test_what_cannot_be_sent_back_is_not_written_over",
    ),
    Mutant(
        "looks of our own take SQLite's locks away",
        "_refuse_foreign",
        "    if holds(path):",
        "    if False:",
        "tests/adapters/state/sqlite/test_overview.py::test_looking_takes_nothing_from_the_locks_of_the_writer",
    ),
    Mutant(
        "the next call leaves a second after the last one left",
        "Pace._holds",
        "        unproved = trip.departed + self.way",
        "        unproved = trip.departed",
        "tests/quota/test_pacing.py::test_no_order_of_ways_within_what_is_known_lets_calls_come_too_close",
    ),
    Mutant(
        "a first day's lists spend their calls by noon",
        "FreshnessPlanner._room",
        "+ _RUSH * self._calls",
        "+ self._calls",
        "tests/quota/test_freshness.py"
        "::test_a_first_day_with_far_more_changes_than_was_guessed_leaves_calls_for_its_evening",
    ),
    Mutant(
        "documents and webhooks take what lists need",
        "QuotaPlan.shares",
        "- self.paying - self.listing",
        "- self.paying",
        "tests/quota/test_plan.py::test_documents_and_webhooks_leave_lists_what_bounds_ask_for",
    ),
    Mutant(
        "a crowd of documents takes the day in the morning",
        "QuotaPlan.shares",
        "_SPREAD_AT_FIRST if self.crowded else _SPREAD",
        "0.0",
        "tests/quota/test_plan.py::test_where_more_documents_change_than_there_are_calls_every_hour_opens_some",
    ),
    Mutant(
        "a forecast takes all hours of a first day for alike",
        "_expected",
        "seen=week.changes(began, now) / mean",
        "seen=(now - began) / day",
        "tests/quota/test_first_days.py::test_what_is_told_of_a_fill_is_right_within_a_tenth",
    ),
    Mutant(
        "a first day's forecast takes calls to leave evenly",
        "time_through",
        "of_day * (1 - spread)",
        "of_day * (1 - spread) / 2",
        "tests/quota/test_first_days.py::test_where_lists_show_what_changes_one_number_is_right_from_the_beginning",
    ),
    Mutant(
        "one number stands for what nobody can know yet",
        "TimeToGo.sure",
        "self.most <= _SURE * self.seconds and self.seconds <= _SURE * self.least",
        "True",
        "tests/quota/test_first_days.py::test_what_is_told_of_a_fill_is_right_within_a_tenth",
    ),
    Mutant(
        "lists stop where a morning took what payments keep",
        "plan_quota",
        "max(granted - paying, day.for_bounds)",
        "granted - paying",
        "tests/quota/test_plan.py::test_what_bounds_ask_of_lists_payments_leave_them_even_of_a_spent_day",
    ),
    Mutant(
        "the last documents of a fill wait for lists",
        "plan_quota",
        "(demand.backlog or 0) / _SPREAD",
        "0",
        "tests/quota/test_plan.py::test_the_last_documents_of_a_fill_do_not_wait_for_polls",
    ),
    Mutant(
        "what Friday took is forgotten on Saturday morning",
        "calls_by_hour",
        "of_last) * of_next, of_day)",
        "of_last) * of_next, 0.0)",
        "tests/quota/test_first_days.py",
    ),
    Mutant(
        "a list may get twice as old as its bound",
        "FreshnessPlanner._by_pace",
        "latest = at + max(pace.oldest, SHORTEST_GAP_S)",
        "latest = at + max(2 * pace.oldest, SHORTEST_GAP_S)",
        "tests/quota/test_freshness.py::test_no_order_of_events_starves_a_collection_or_has_it_scanned_again_at_once",
    ),
    Mutant(
        "a window holds a call more than it may",
        "_Window.opens",
        "stamps[-limit] + SECONDS",
        "stamps[-limit - 1 if len(stamps) > limit else -limit] + SECONDS",
        "tests/quota/test_budget.py::test_no_window_is_ever_exceeded_and_nobody_waits_for_nothing",
    ),
    Mutant(
        "the reserve of a lane is anybody's",
        "Budget._openings_of_lane",
        "kept = self.limits.reserved(window.period, lane) +",
        "kept =",
        "tests/quota/test_budget.py::test_a_lane_spends_only_what_is_above_its_reserve",
    ),
    Mutant(
        "a restart forgets the calls of the hours before",
        "Budget.restore",
        "if at > now - MEMORY)",
        "if at > now - 3600)",
        "tests/quota/test_budget.py::test_no_window_is_ever_exceeded_and_nobody_waits_for_nothing",
    ),
    Mutant(
        "the planner goes by the first scan of a list, not by the last",
        "FreshnessPlanner.scanned",
        "self._scanned[collection] = max(at, self._scanned.get(collection, at))",
        "self._scanned.setdefault(collection, at)",
        "tests/quota/test_freshness.py::test_a_restart_plans_the_same_turns",
    ),
    Mutant(
        "a key that grants less a minute is refused in each of them",
        "Budget._learn_of_others",
        'one.period != "second"',
        'one.period in ("hour", "day")',
        "tests/quota/test_budget.py"
        "::test_a_minute_that_grants_less_than_is_documented_is_run_into_twice_and_then_once_an_hour",
    ),
    Mutant(
        "a restart forgets how often lists change",
        "Polling._recall",
        "        self.rates.learn(hours)",
        "        pass",
        "tests/mirror/test_polling.py::test_a_restart_forgets_nothing",
    ),
    Mutant(
        "a restart takes the scans that webhooks asked for for polls",
        "Polling._recall",
        "hour.begins, hour.calls",
        "hour.begins, hour.scans",
        "tests/mirror/test_polling.py::test_a_restart_does_not_take_scans_that_webhooks_asked_for_for_polls",
    ),
    Mutant(
        "payments made in Precoro wait until lists change",
        "_oldest",
        "if export.enabled and name in _SHOW_PAYMENTS else",
        "if False else",
        "tests/settings/test_payments.py"
        "::test_where_payments_are_exported_the_lists_that_show_them_are_never_older_than_that_allows",
    ),
    Mutant(
        "a payment without an invoice waits until lists change",
        "FreshnessPlanner._by_pace",
        "if name in self._urgent and",
        "if False and",
        "tests/mirror/test_polling.py"
        "::test_a_payment_that_finds_no_invoice_has_the_invoices_scanned_at_once_even_at_night",
    ),
    Mutant(
        "a refused GET waits for a minute",
        "Budget._forget_get",
        "        if not charge.counted or self._refused_count:",
        "        if True:",
        "tests/quota/test_budget.py::test_a_refused_get_may_be_asked_again_when_its_limit_opens",
    ),
    Mutant(
        "a document that was fetched is asked for once more by who still waits for it",
        "DetailAnswers.save",
        "question.waiting.cancel()",
        "pass",
        "tests/quota/test_week.py::test_a_document_that_changed_is_asked_for_once_whoever_wants_it",
    ),
    Mutant(
        "an older answer serves who heard of something newer",
        "_Question.is_served_by",
        "asked_at >= self.since",
        "True",
        "tests/mirror/test_detail_answers.py::test_an_answer_serves_who_wants_that_version_or_nothing_newer",
    ),
    Mutant(
        "other lanes take what payments keep",
        "_ALL_BUT_PAYMENTS",
        "frozenset(Lane) - {Lane.PAYMENTS}",
        "frozenset({Lane.CENSUS})",
        "tests/quota/test_plan.py::test_no_other_lane_takes_what_payments_keep",
    ),
    Mutant(
        "a date of long ago has weeks learned twice",
        "Polling.scanned",
        "abs(began - asked_at)",
        "began - asked_at",
        "tests/mirror/test_polling.py::test_a_date_that_is_off_by_years_teaches_nothing_twice",
    ),
    Mutant(
        "a call keeps others from leaving while it waits for its own window",
        "_chosen_from",
        '(_AHEAD if opening.window == "second" else 0.0)',
        "_AHEAD",
        "tests/adapters/http/test_gate.py::test_a_call_that_waits_for_its_own_window_keeps_no_other_from_leaving",
    ),
    Mutant(
        "a list stands still while one of its pages waits",
        "PageScan._may_fetch",
        "        if self._next in self._outcomes:",
        "        if True:",
        "tests/adapters/http/test_gate.py::test_a_list_with_a_refused_page_reads_on_and_takes_it_last",
    ),
    Mutant(
        "a key that was refused once is refused for good",
        "KeyStanding.is_refused",
        "        return now < self.reopens_at",
        "        return self.reopens_at > 0",
        "tests/adapters/http/test_throttled.py::test_a_key_that_was_refused_once_is_tried_again_by_the_same_process",
    ),
    Mutant(
        "a long round holds up the others of its group",
        "Scheduler._round",
        "and await self._lap(job)",
        "and await self._lap(job)\n                    while more and await job.check(anew=False):\n"
        "                        more = await self._lap(job)",
        "tests/runtime/test_scheduler.py::test_who_has_much_to_do_lets_others_of_its_group_have_their_turns",
    ),
    Mutant(
        "two scans of one kind of a list run together",
        "Lister.alone",
        "return self.locks.of((collection.name, what))",
        "return self.locks.of(object())",
        "tests/mirror/test_side_by_side.py::test_two_scans_of_the_same_changes_come_one_after_the_other",
    ),
    Mutant(
        "a .gz file is unpacked on its way",
        "_meets",
        "start + length == size",
        "False",
        "tests/files/test_packed.py::test_what_the_document_declares_is_kept",
    ),
    Mutant(
        "a bomb is unpacked at once",
        "Unpacker.take",
        "self._engine.decompress(self._waiting, _PIECE)",
        "self._engine.decompress(self._waiting)",
        "tests/files/test_packed.py::test_a_bomb_is_unpacked_in_small_pieces",
    ),
    Mutant(
        "a byte order mark becomes part of the key",
        "_decoded",
        """"utf-16" if wide else "utf-8-sig\"""",
        '"utf-8"',
        "tests/settings/test_credentials.py::test_what_editors_leave_around_the_key_is_no_part_of_it",
    ),
    Mutant(
        "a list that lacks rows once is believed",
        "_SHORT_SCANS",
        "_SHORT_SCANS = 3",
        "_SHORT_SCANS = 1",
        "tests/mirror/rules/test_cursors.py::test_a_shortfall_that_stays_the_same_is_believed_after_three_whole_scans",
    ),
    Mutant(
        "what a list hides is taken for deleted",
        "find_gone",
        "scan.rejected > 0 or cursor.hidden > 0",
        "scan.rejected > 0",
        "tests/mirror/test_census.py::test_a_row_that_the_key_may_see_no_more_is_asked_for_before_it_is_marked",
    ),
    Mutant(
        "modifiedSince is trusted to be read in UTC",
        "falls_short",
        "return may_fall_short(scan.since, cursor.at, scan.dates)",
        "return False",
        "tests/mirror/test_zones.py::test_after_every_scan_the_mirror_is_as_the_list_is",
    ),
    Mutant(
        "no known row is asked back to",
        "meant_since",
        "min(at - overlap, anchor - at % _DISTINCT_S)",
        "at - overlap",
        "tests/mirror/test_reach.py::test_a_zone_behind_utc_costs_one_scan_and_no_row",
    ),
    Mutant(
        "an anchor is asked back to in the same words",
        "meant_since",
        "anchor - at % _DISTINCT_S",
        "anchor",
        "tests/mirror/rules/test_cursors.py::test_questions_from_the_same_anchor_differ",
    ),
    Mutant(
        "a skew that was found is not used",
        "next_scan",
        "meant_since(cursor, overlap) - skew",
        "meant_since(cursor, overlap)",
        "tests/mirror/test_reach.py::test_a_zone_behind_utc_costs_one_scan_and_no_row",
    ),
    Mutant(
        "rows that were deleted are asked about at every scan",
        "_next_anchor",
        " and not scan.far):",
        "):",
        "tests/mirror/test_zones.py::test_the_newest_rows_may_all_go_at_once",
    ),
    Mutant(
        "a spent lane of the census holds up lists",
        "bring_up_to_date",
        "return replace(report, unasked=None)",
        "return report",
        "tests/mirror/test_side_by_side.py::test_lists_go_on_though_nobody_may_ask_now_about_what_they_miss",
    ),
    Mutant(
        "what a census could not ask about is forgotten",
        "TakeCensus._is_due",
        "left or self._is_owed",
        "self._is_owed",
        "tests/mirror/test_side_by_side.py::test_a_census_asks_at_its_next_lap_whom_it_could_not_ask",
    ),
    Mutant(
        "what changed during a census is marked as gone",
        "_mark_vanished",
        "unless_changed_since=scan.started_at",
        "unless_changed_since=None",
        "tests/contracts/test_mirror.py"
        "::test_what_was_listed_as_changed_since_a_whole_scan_began_is_not_marked_by_it",
    ),
    Mutant(
        "a census proves what changed during it",
        "_settle_whole",
        "if accepted and (cursor.unproved_at or 0.0) > (scan.started_at or ended_at):",
        "if False:",
        "tests/mirror/rules/test_cursors.py"
        "::test_changes_that_were_not_proved_during_a_census_are_still_owed_after_it",
    ),
    Mutant(
        "a wrong guess of where a file is counts as its failure",
        "PrecoroAttachments._open_guessed",
        "with suppress(PermanentError, MalformedAnswer, ServerFault):",
        "with suppress(MalformedAnswer):",
        "tests/files/test_attachments_in_trouble.py"
        "::test_a_file_that_is_not_where_it_was_expected_is_asked_for_as_any_other",
    ),
    Mutant(
        "what comes behind a body is taken for its end",
        "LongBody.get_buffer",
        "return self._buffer[self._filled : self._filled + self._left]",
        "return self._buffer[self._filled :]",
        "tests/adapters/http/test_long_body.py::test_what_comes_behind_a_body_is_no_part_of_it_nor_of_the_next",
    ),
    Mutant(
        "the end of a file that is held in memory is sent as the file",
        "LocalPartialFile.held_whole",
        "if self._held != self.length:",
        "if not self._held:",
        "tests/adapters/objects/test_bucket.py::test_cancelled_at_any_request_a_file_is_whole_or_not_there",
    ),
    Mutant(
        "a new row stands for one that a whole scan skipped",
        "_after",
        "scan.newest if older else None",
        "scan.newest",
        "tests/mirror/rules/test_cursors.py::test_a_list_that_moves_is_not_proved_where",
    ),
    Mutant(
        "a wake-up during a lap is lost",
        "JobStatus.move",
        "if self.state is State.IDLE and self.woken:",
        "if False:",
        "tests/runtime/test_scheduler.py::test_a_wake_up_during_a_lap_is_not_lost",
    ),
    Mutant(
        "what failed in a run is due again in it",
        "Scheduler.run_until_idle",
        "job.check(anew=job.status.laps == 0)",
        "job.check(anew=True)",
        "tests/runtime/test_once.py::test_a_job_is_asked_by_when_its_round_began_which_is_the_run",
    ),
    Mutant(
        "a run goes on with a job whose quota is spent",
        "Scheduler.run_until_idle",
        "if not job.held and await",
        "if await",
        "tests/runtime/test_once.py::test_a_spent_budget_ends_one_job_and_its_siblings_go_on",
    ),
    Mutant(
        "the second of two reloads forgets the settings in use",
        "ServedCompany.reread",
        "self._settings, self._former = fresh, self._former or self._settings",
        "self._settings, self._former = fresh, self._settings",
        "tests/system/test_service.py::test_reloads_that_cannot_be_used_leave_the_service_as_it_was",
    ),
    Mutant(
        "a redirect is followed with the key",
        "Origin._request",
        "allow_redirects=False",
        "allow_redirects=True",
        "tests/adapters/http/test_session.py::test_no_redirect_is_followed_and_no_cookie_kept",
    ),
    Mutant(
        "the key goes to the host of a download",
        "Downloads.__aenter__",
        """"Accept": "*/*"},""",
        """"Accept": "*/*", "X-AUTH-TOKEN": "key"},""",
        "tests/files/test_attachments.py::test_files_from_another_host_come_without_the_key",
    ),
    Mutant(
        "the name before the content is durable",
        "LocalPartialFile._name",
        """            os.fsync(self._file.fileno())
            self._file.close()""",
        "            self._file.close()",
        "tests/files/test_order.py",
    ),
    Mutant(
        "the row before the name",
        "Downloader._fetch",
        "            kept = await self._keep(partial, task)",
        """            kept = Kept(task.path, partial.length, await partial.hashed())
            await self.book.save_kept(file, kept, at=self.clock.now())
            kept = await self._keep(partial, task)""",
        "tests/files/test_order.py",
    ),
    Mutant(
        "the file name of the server trusted",
        "path_of",
        'return f"{collection}/{folder}/{number}__{safe_name(name)}"',
        'return f"{collection}/{folder}/{number}__{name}"',
        "tests/files/test_rules.py::test_twenty_thousand_hostile_names_stay_inside_and_apart",
    ),
    Mutant(
        "a body taken whose end nobody announced",
        "flaw",
        "    if not received.framed:",
        "    if False:",
        "tests/files/test_rules.py::test_without_a_size_an_end_that_was_not_announced_proves_nothing",
    ),
    Mutant(
        "a short body taken for the file",
        "flaw",
        "return None if received.length == size else",
        "return None if received.length <= size else",
        "tests/files/test_body_faults.py::test_a_body_that_lies_about_its_length_is_found_out_by_the_size",
    ),
    Mutant(
        "any piece taken for the rest of a file",
        "continues",
        "    return whole and validator(headers) == part.validator",
        "    return first >= 0",
        "tests/files/test_resuming.py",
    ),
    Mutant(
        "somebody else's file written over",
        "give_name",
        "            _name_anew(folder, partial, name)",
        "            os.replace(partial, name, src_dir_fd=folder, dst_dir_fd=folder)",
        "tests/adapters/objects/test_folder.py::test_what_is_not_ours_is_never_written_over",
    ),
    Mutant(
        "a cursor leaves the thread of its connection",
        "SqliteSession.rows",
        "        return self.connection.execute(STATEMENTS[statement], values).fetchall()",
        "        return self.connection.execute(STATEMENTS[statement], values)",
        "tests/adapters/state/sqlite/test_transactions.py",
    ),
    Mutant(
        "an item whose answer was lost is sent again",
        "outcome_of_failure",
        """    if isinstance(error, DoubtfulError):
        return Outcome(OutcomeKind.UNKNOWN, str(error))
    if isinstance(error, TemporaryError):""",
        """    if isinstance(error, (DoubtfulError, TemporaryError)):""",
        f"{ITEMS}::test_a_create_whose_answer_is_lost_is_found_and_not_sent_again",
    ),
    Mutant(
        "a new item not found at the first look is sent again",
        "_rule_on_create",
        "    if check_at is not None:",
        "    if False:",
        "tests/catalogue/test_schedules.py",
    ),
    Mutant(
        "an item is marked as sent only when it was answered",
        "PlanLap._begin",
        "        return await self.catalogue.begin(write, prepared.before, at=self.clock.now())",
        "        return write",
        "tests/catalogue/test_schedules.py",
    ),
    Mutant(
        "a change sends what is wanted and nothing else",
        "replacement_form",
        "pairs += _pair(name, item.values.get(name, verbatim))",
        "pairs += _pair(name, item.values.get(name))",
        f"{ITEMS}::test_a_change_takes_nothing_away",
    ),
    Mutant(
        "custom fields are not sent back",
        "replacement_form",
        "    return (*pairs, *_merged_customs(given, item))",
        "    return tuple(pairs)",
        "tests/catalogue/test_schedules.py",
    ),
    Mutant(
        "what a write took away is not looked at",
        "lost",
        "    return names + [name for name in others if not _empty(had[name]) and _empty(has.get(name))]",
        "    return []",
        f"{ITEMS}::test_a_plan_stops_at_the_first_item_that_lost_something",
    ),
    Mutant(
        "what others changed meanwhile is written over",
        "PlanLap._withhold",
        "            elif changed[write.step.item or 0].version != write.step.version:",
        "            elif False:",
        "tests/catalogue/test_schedules.py",
    ),
    Mutant(
        "a plan that was overtaken is linked out",
        "ManageItems.approve",
        "        if ours:",
        "        if False:",
        f"{ITEMS}::test_apply_refuses_a_plan_that_precoro_has_overtaken",
    ),
    Mutant(
        "a doubt is judged by a clock that may be a day wrong",
        "PlanLap._check",
        "            await self._judge(write, rule(write, changed, self.check.made_at))",
        "            await self._judge(write, rule(write, changed, now))",
        f"{ITEMS}::test_a_clock_that_is_a_day_wrong_makes_nothing_twice_and_writes_over_nothing",
    ),
    Mutant(
        "others' changes are looked for from a clock that may be ahead",
        "ChangeCheck.changed_since",
        "        self.known_until = min(began, self.made_at)",
        "        self.known_until = began",
        f"{ITEMS}::test_a_clock_that_is_ahead_hides_no_change_of_others",
    ),
    Mutant(
        "a new plan makes anew what is in doubt",
        "Comparison._admit",
        "        if step.kind is Kind.CREATE and step.key in self._doubted:",
        "        if False:",
        f"{ITEMS}::test_a_new_plan_leaves_alone_what_is_in_doubt",
    ),
    Mutant(
        "prices go through a binary float",
        "_unquoted",
        """    return json.loads(raw, parse_float=Decimal) if raw[:1] in b'"-0123456789' and raw else None""",
        """    return str(json.loads(raw)) if raw[:1] in b'"-0123456789' and raw else None""",
        f"{ITEMS}::test_prices_are_exact",
    ),
    Mutant(
        "webhook body read unbounded",
        "_read",
        "        if len(body) > _BODY_BYTES:",
        "        if len(body) > 2**40:",
        f"{WEBHOOKS}::test_an_endless_body_in_chunks_is_read_no_further_than_it_may_be",
    ),
    Mutant(
        "webhook answered before it is kept",
        "_WebhookHandler._keep",
        """        await batch.kept.wait()
        return 503 if batch.refused is None or record in batch.refused else 204""",
        "        return 204",
        f"{WEBHOOKS}::test_what_cannot_be_kept_is_not_accepted",
    ),
    Mutant(
        "a detail is as new as its answer",
        "as_of",
        "return min(asked_at, clock.now())",
        "return clock.now()",
        f"{DELIVERIES}::test_what_happens_while_a_detail_is_under_way_is_looked_at_again",
    ),
    Mutant(
        "a delivery waits for quota with the lists held",
        "_LONGEST_WAIT_S",
        "_LONGEST_WAIT_S = 90.0",
        "_LONGEST_WAIT_S = 86_400.0",
        f"{DELIVERIES}::test_a_call_whose_turn_does_not_come_holds_up_no_list",
    ),
    Mutant(
        "a disarmed lap goes on sending",
        "SqlJournal.begin.work",
        """            if not switch.armed:
                raise SendingStopped(switch.reason)""",
        """            assert switch""",
        "tests/contracts/test_journal.py::test_nothing_begins_where_the_witness_is_gone",
    ),
    Mutant(
        "a payment is dropped before it is planned for another invoice",
        "SqlJournal.replace.work",
        "                raise _Taken",
        "                return intent",
        "tests/contracts/test_journal.py::test_one_takes_the_place_of_another_or_nothing_is_written",
    ),
    Mutant(
        "a command ends with its connection",
        "Executor.execute",
        """            self._running.start_soon(partial(pending.of, self._work, command), name="command")
            await pending.known.wait()""",
        """            await pending.of(self._work, command)""",
        "tests/adapters/listener/test_control.py::test_a_command_goes_on_when_whoever_gave_it_is_gone",
    ),
    Mutant(
        "a signal before the service handles it raises an exception",
        "leave",
        "    os._exit(0)",
        "    sys.exit(0)",
        "tests/system/test_first_process.py::test_a_signal_that_comes_where_no_exception_counts_ends_it_too",
    ),
    Mutant(
        "an equal payment of another day is another payment",
        "_may_be",
        "    known_apart = payment.id in planned.booked and other_day",
        "    known_apart = other_day",
        f"{BOTH_SIDES}::test_a_payment_entered_on_both_sides_is_a_persons_affair_whatever_its_days",
    ),
    Mutant(
        "a person is asked about the same payment again",
        "_may_be",
        "    return str(payment.id) not in planned.other and not known_apart",
        "    return not known_apart",
        f"{BOTH_SIDES}::test_a_person_who_says_that_it_is_another_payment_is_asked_once",
    ),
    Mutant(
        "a decision hangs on the words of a message",
        "PaymentSender._postpone",
        "        if keeps != intent.obstacle:",
        "        if str(keeps) != intent.reason:",
        "tests/payments/test_wording.py::test_the_same_is_decided_whatever_the_messages_say",
    ),
    Mutant(
        "an entry is made in books that nobody read",
        "_Lap._read_ledger",
        "        if not access.ledger.capabilities.reads:\n            return True",
        "        if access.ledger.capabilities.reads:\n            return True",
        f"{BOTH_SIDES}::test_where_payments_are_only_exported_the_books_are_read_all_the_same",
    ),
    Mutant(
        "what waited is not compared with the books again",
        "EntrySender._stands_apart",
        "        if equal := [payment for payment in others if payment.amount == intent.amount]:",
        "        if equal := others[:0]:",
        f"{BOTH_SIDES}::test_what_somebody_enters_by_hand_while_it_waits_is_not_entered_again",
    ),
    Mutant(
        "our own entry that was taken back is a payment of the books",
        "recognise_payment",
        "        SELECT ledger_payments.ours UNION ALL SELECT id FROM intents",
        "        SELECT 'nobody' UNION ALL SELECT 'nobody' FROM intents",
        f"{BOTH_SIDES}::test_our_entry_taken_back_and_made_again_in_the_books_is_never_paid",
    ),
    Mutant(
        "adopting believes any number",
        "adopt",
        "    if remote_id != intent.remote_id:\n        await",
        "    if remote_id == '':\n        await",
        f"{BOTH_SIDES}::test_a_payment_is_adopted_once_and_for_its_own_invoice",
    ),
    Mutant(
        "a grouping sign stands anywhere",
        "ungrouped",
        "    if grouping in decimals or (others and",
        "    if grouping in mark and (others and",
        "tests/adapters/ledgers/test_cells.py::test_a_sign_that_does_not_stand_between_thousands_is_no_grouping",
    ),
    Mutant(
        "what a document of the books lost is still paid",
        "SqlLedgerPayments.take_in.work",
        "list(_undone(session, ledger, batch))",
        "[]",
        "tests/contracts/test_journal.py::test_what_a_document_of_the_books_no_longer_has_amounts_to_nothing",
    ),
    Mutant(
        "an id of zeros is taken for a payment",
        "_receipt",
        'id_ not in ("", _NO_ID)',
        'id_ != ""',
        f"{XERO}::test_a_good_status_says_nothing",
    ),
    Mutant(
        "a refusal with a good status is a success",
        "_receipt",
        """    if words or row.get("HasValidationErrors") is True or row.get("StatusAttributeString") == "ERROR":""",
        """    if row.get("StatusAttributeString") == "FAILED":""",
        f"{XERO}::test_a_good_status_says_nothing",
    ),
    Mutant(
        "a payment with an id and an error is taken for refused",
        "_receipt",
        "refused=not has_id",
        "refused=True",
        f"{XERO}::test_a_good_status_says_nothing",
    ),
    Mutant(
        "a payment of ours that names no bill is not there",
        "receipts_in",
        "if not shares and total:",
        "if not shares and total is None:",
        f"{QUICKBOOKS}::test_a_payment_of_ours_that_does_not_say_what_it_pays_is_there_all_the_same",
    ),
    Mutant(
        "a bill of another currency is paid",
        "XeroLedger.create",
        "        if bill.currency != entry.currency:",
        "        if not bill.currency:",
        f"{XERO}::test_a_payment_needs_the_currency_of_bill_and_account",
    ),
    Mutant(
        "an account of another currency pays",
        "Accounts._checked",
        "        if account.currency != currency:",
        "        if not account.currency:",
        f"{XERO}::test_a_payment_needs_the_currency_of_bill_and_account",
    ),
    Mutant(
        "the currency of a payment is not sent",
        "QuickbooksLedger._payment",
        """            "CurrencyRef": {"value": entry.currency},\n""",
        "",
        f"{ONLINE}::test_a_payment_of_precoros_is_in_the_books_once_in_its_currency_and_never_comes_back",
    ),
    Mutant(
        "a payment is searched for by its memo",
        "QuickbooksLedger.find",
        """row.get("DocNumber") != number for row""",
        """row.get("PrivateNote") != f"Precoro {key}" for row""",
        f"{QUICKBOOKS}::test_the_look_up_goes_by_the_number_whatever_became_of_the_memo",
    ),
    Mutant(
        "a payment that was deleted is still paid",
        "read_documents",
        """{} if row.get("status") == "Deleted" else _shares(row)""",
        """None if row.get("status") == "Deleted" else _shares(row)""",
        f"{QUICKBOOKS}::test_what_was_voided_or_deleted_is_undone",
    ),
    Mutant(
        "what is undone in the ledger before it was read is never heard of",
        "_undone",
        """session.rows("ledger_payments.entries_of_document", values)""",
        "()",
        f"{ONLINE}::test_what_is_undone_before_it_was_ever_read_is_told_to_a_person_too",
    ),
    Mutant(
        "a ledger that is too busy is asked again and again",
        "LedgerClient._once",
        "        if answer.status == 429 and",
        "        if answer.status == 430 and",
        f"{XERO}::test_too_often_holds_up_the_next_calls_instead_of_being_asked_for_again",
    ),
    Mutant(
        "the currency of a payment is left to Odoo",
        "Registering._values",
        """            "currency_id": linked(bill["currency_id"]),\n""",
        "",
        f"{ODOO}::test_a_payment_is_posted_as_it_was_meant_and_read_back",
    ),
    Mutant(
        "a bill in instalments is paid line by line",
        "Registering._values",
        """"group_payment": True""",
        """"group_payment": False""",
        f"{ODOO}::test_the_amount_of_a_bill_in_instalments_is_the_one_that_was_sent",
    ),
    Mutant(
        "a journal of Odoo pays in any currency",
        "Journals.paying_in",
        "        if pays_in != currency:",
        "        if pays_in == '':",
        f"{ODOO}::test_a_journal_in_another_currency_blocks_before_anything_is_written",
    ),
    Mutant(
        "a refusal of Odoo is told by its traceback",
        "refusal_of",
        """said = data.get("message")""",
        """said = data.get("debug")""",
        f"{ODOO}::test_a_paid_bill_is_refused_in_the_words_of_odoo_and_without_its_traceback",
    ),
    Mutant(
        "a missing right in Odoo rejects the payment",
        "meaning",
        """    if kind == "AccessError":
        return LedgerMisfit(""",
        """    if kind == "AccessError":
        return PermanentError(""",
        f"{ODOO}::test_what_odoo_says_of_a_payment",
    ),
    Mutant(
        "a transaction of Odoo that broke off was rolled back",
        "_of_database",
        "if sent else TemporaryError(said)",
        "if not sent else TemporaryError(said)",
        f"{ODOO}::test_what_is_no_word_on_this_payment_never_rejects_it",
    ),
    Mutant(
        "a bank line is paid beside the payment that it is",
        "settlements_of",
        "        banked = [one for one in banked if one not in arrived]",
        "        banked = list(banked)",
        f"{ODOO}::test_a_payment_without_an_entry_counts_and_its_bank_line_is_the_same_payment",
    ),
    Mutant(
        "a miscellaneous entry of Odoo is a payment",
        "_part_of",
        """ if line["statement_line_id"] else \"\"""",
        """ if line["move_id"] else \"\"""",
        f"{ODOO}::test_payments_and_bank_lines_settle_a_bill_and_nothing_else_does",
    ),
    Mutant(
        "a reading of Odoo does not reach back",
        "OdooLedger._batches",
        "_Scan(position, self._options.overlap,",
        "_Scan(position, 0.0,",
        f"{ODOO}::test_a_change_that_shows_late_is_read",
    ),
    Mutant(
        "a line of Business Central is in any currency",
        "BusinessCentralLedger._payable",
        "if not entry.currency == invoice.currency == home:",
        "if not entry.currency == invoice.currency:",
        "tests/adapters/ledgers/test_business_central.py::test_what_does_not_fit_is_refused_before_anything_is_written",
    ),
    Mutant(
        "a value that nobody named is a payment",
        "RowKinds.judge",
        '            if unknown not in ("payment", "void"):',
        '            if unknown == "":',
        f"{EXPORTS}::test_the_state_of_a_row_says_whether_it_is_a_payment",
    ),
    Mutant(
        "money that came in is paid",
        "signed",
        "    return amount if out or negate else -amount",
        "    return amount",
        f"{EXPORTS}::test_money_that_came_in_is_less_than_nothing",
    ),
    Mutant(
        "a row that is no payment any more is still paid",
        "_Taken.take",
        "        self._export.undone += [Undone(key, alone=True) for key in",
        "        self._export.undone += [Undone(key, alone=True) for key in () and",
        f"{EXPORTS}::test_a_row_that_was_taken_for_a_payment_amounts_to_nothing_once_a_state_says_otherwise",
    ),
    Mutant(
        "a setting that says more makes another payment of the same row",
        "TableRows._payment",
        'named_by_what_it_says(read, read_reference(values["invoice"]))',
        "named_by_what_it_says(read, None)",
        f"{EXPORTS}::test_a_number_is_taken_out_of_a_text_and_the_row_stays_the_same",
    ),
    Mutant(
        "a currency beside an amount is not looked at",
        "settle_currency",
        "    if not beside:",
        "    if beside or not beside:",
        f"{EXPORTS}::test_currencies_that_contradict_each_other",
    ),
    Mutant(
        "a day that lost its first zero is another day",
        "_full_width",
        "    return text.zfill(len(example))",
        "    return text",
        f"{EXPORTS}::test_days_of_datev_are_of_its_period",
    ),
    Mutant(
        "a payment without a day is a total",
        "TableRows._is_text",
        "        if self._key(row):",
        "        if False:",
        f"{EXPORTS}::test_a_row_with_a_key_is_never_passed_over",
    ),
    Mutant(
        "what goes out to take back what came in is a payment",
        "read_booked",
        "        elif entry.is_out is entry.is_reversal:",
        "        elif not entry.is_out and not entry.is_reversal:",
        f"{STATEMENTS}::test_only_what_went_out_and_is_booked_counts",
    ),
    Mutant(
        "a batch is shared out however its parts add up",
        "_parts",
        "    if len(found) == len(parts) and total == whole.amount:",
        "    if len(found) == len(parts):",
        f"{STATEMENTS}::test_a_batch_counts_by_its_transactions_if_they_are_as_much_as_it_is",
    ),
    Mutant(
        "an entry of a statement is left out without a word",
        "read_mt940",
        "    if count != len(_ENTRY.findall(text)):",
        "    if count > len(_ENTRY.findall(text)):",
        f"{STATEMENTS}::test_an_entry_that_stands_in_no_statement_is_not_left_out",
    ),
    Mutant(
        "half a number is the number",
        "_joined",
        '("\\x00" if is_full and',
        '("" if is_full and',
        f"{STATEMENTS}::test_half_a_number_is_no_number",
    ),
    Mutant(
        "what an earlier configuration could not read is never read",
        "CsvLedger._batches",
        "        read = [one for one in before if one in there] if before[:1] == [reading] else []",
        "        read = [one for one in before if one in there]",
        "tests/adapters/ledgers/test_csv.py::test_other_settings_read_everything_again",
    ),
    Mutant(
        "a row that other settings read otherwise is another payment",
        "_as_known",
        "        if payment.row is not None:",
        "        if False:",
        "tests/payments/test_settings_changed.py::test_the_same_row_read_by_other_settings_is_paid_once",
    ),
    Mutant(
        "a row with a cell more is another payment",
        "_as_known",
        "            first.setdefault(payment.key, key)",
        "            pass",
        "tests/payments/test_settings_changed.py::test_a_later_file_with_the_same_row_is_known_by_what_it_says",
    ),
    Mutant(
        "payments of an invoice that has one already are begun together with the first ones",
        "_plan_many",
        'busy = {None, *(row["invoice_id"] for row in rows), ',
        "busy = {None, ",
        "tests/contracts/test_journal.py::test_many_begin_in_one_transaction_and_each_as_if_alone",
    ),
    Mutant(
        "what we made and what became of it are recognised together",
        "_take_in",
        "    if len({payment.key for payment in payments}) < len(payments):",
        "    if False:",
        "tests/payments/test_both_sides.py::test_our_entry_changed_in_the_books_is_told_once",
    ),
    Mutant(
        "only a payment that gives our key back is recognised",
        "_take_in",
        "one.ours is not None or one.key in entries",
        "one.ours is not None",
        "tests/contracts/test_journal.py::test_what_we_made_is_recognised_by_the_ledgers_key_of_it",
    ),
    Mutant(
        "a row undone takes those with it that begin with its key",
        "_undone",
        '            if not document.alone or row["key"] == about["key"]:',
        "            if True:",
        "tests/payments/test_both_sides.py::test_a_row_undone_is_that_row_alone",
    ),
    Mutant(
        "rows of two years are one payment",
        "TableRows._content",
        "[str(period), *",
        "[*",
        "tests/payments/test_settings_changed.py::test_two_rows_that_say_the_same_in_two_years_are_two_payments",
    ),
    Mutant(
        "a row that nobody understands no longer holds its payment",
        "forget_gone",
        "WHERE ledger = ? AND seen_at < ? AND NOT EXISTS (",
        "WHERE ledger = ? AND seen_at < ? AND TRUE OR NOT EXISTS (",
        "tests/payments/test_reading.py::test_what_held_a_payment_back_holds_it_though_its_file_is_gone",
    ),
    Mutant(
        "a credit of a journal entry is money",
        "_shares",
        "    if not credits_ and not _is_less(total, bills.values()):",
        "    if not credits_:",
        "tests/adapters/ledgers/test_quickbooks.py::test_credits_are_no_payments",
    ),
    Mutant(
        "what could be read at last stays unreadable",
        "_undone",
        '            session.run("ledger_payments.forget_unreadable_parts", about | {"still": json.dumps(still)})',
        "            pass",
        "tests/contracts/test_journal.py::test_a_document_that_is_read_anew_has_none_of_its_unreadable_rows",
    ),
    Mutant(
        "the pause between calls counts from before the first is written",
        "_Punctual.send",
        "        try:\n            response = await super().send(conn)",
        "        try:\n            await on_sent()\n            response = await super().send(conn)",
        "tests/adapters/http/test_session.py::test_sent_is_told_once_when_the_request_is_written_and_before_the_answer",
    ),
    Mutant(
        "records that change are counted twice",
        "_write_records",
        "fresh=not changed",
        "fresh=True",
        "tests/contracts/test_mirror.py::test_a_vanished_record_that_is_listed_again_returns[sqlite]",
    ),
    Mutant(
        "a detail is counted for the record alone that was asked for",
        "save",
        """{due.id, judged}, answered["idn"]):""",
        "{due.id, judged}):",
        "tests/contracts/test_mirror.py::test_one_answer_serves_all_rows_of_a_shared_idn[sqlite]",
    ),
)


def main(names: Sequence[str]) -> int:
    chosen = [mutant for mutant in MUTANTS if not names or mutant.name in names]
    survived = [mutant.name for mutant in chosen if not _is_caught(mutant)]
    print(f"{len(chosen) - len(survived)} of {len(chosen)} caught" + (f"; NOT: {survived}" if survived else ""))
    return 1 if survived else 0


@cache
def symbols(path: Path) -> list[tuple[str, int, int]]:
    """Every function, class and constant of a module, or every statement of an SQL file: its qualified name, and
    where its text begins and ends."""
    return list(_symbols(path, path.read_text("utf-8")))


def _symbols(path: Path, text: str) -> Iterator[tuple[str, int, int]]:
    if path.suffix == ".sql":
        for part in re.finditer(r"^-- name: (\w+)\n.*?(?=^-- name: |\Z)", text, re.MULTILINE | re.DOTALL):
            yield part[1], part.start(), part.end()
        return
    starts = [0, *accumulate(len(line) for line in text.splitlines(keepends=True))]
    yield from _defined(ast.parse(text), "", starts)


def _defined(node: ast.AST, prefix: str, starts: Sequence[int]) -> Iterator[tuple[str, int, int]]:
    for child in ast.iter_child_nodes(node):
        match child:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                pass
            case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)) if not prefix:
                pass
            case _:
                continue
        first = min([child.lineno, *(one.lineno for one in getattr(child, "decorator_list", ()))])
        yield prefix + name, starts[first - 1], starts[child.end_lineno or child.lineno]
        yield from _defined(child, f"{prefix}{name}.", starts)


def place(mutant: Mutant, root: Path = ROOT) -> tuple[Path, int]:
    """The file and the offset of what the mutant edits. AssertionError unless there is exactly one such place."""
    found = set()
    for path, text in sources(root):
        if mutant.before in text:
            for name, start, end in symbols(path):
                if name == mutant.symbol and text.count(mutant.before, start, end) == 1:
                    found.add((path, text.index(mutant.before, start, end)))
    assert len(found) == 1, f"{mutant.name}: {len(found)} places in {mutant.symbol}; mend tests/mutants.py"
    return found.pop()


@cache
def sources(root: Path) -> list[tuple[Path, str]]:
    package = root / "precoro_daemon"
    return [(path, path.read_text("utf-8")) for path in sorted([*package.rglob("*.py"), *package.rglob("*.sql")])]


def _is_caught(mutant: Mutant) -> bool:
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder, "tree")
        ignored = shutil.ignore_patterns(".*", "demo", "__pycache__")
        shutil.copytree(ROOT, copy, ignore=ignored)
        path, at = place(mutant, copy)
        source = path.read_text("utf-8")
        path.write_text(source[:at] + mutant.after + source[at + len(mutant.before) :], "utf-8")
        began = time.monotonic()
        code = _run(copy, mutant.test)
        caught = code == 1
        said = "caught by" if caught else f"SURVIVED (pytest said {code})"
        print(f"{mutant.name}: {said} {mutant.test} ({time.monotonic() - began:.1f} s)", flush=True)
        return caught


def _run(copy: Path, test: str) -> int:
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", test]
    environment = os.environ | {"PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(command, cwd=copy, env=environment, capture_output=True, check=False)
    return done.returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
