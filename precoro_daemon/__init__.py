"""Keeps a faithful local mirror of a company's Precoro data, inside Precoro's limits. The map:

__main__.py               python -m precoro_daemon
daemon.py                 laps: what is due is run until nothing is; signals, drain, time limit
demo.py                   the main job against the sandbox, shown step by step
demo_payments.py          the part of the demo in which books and Precoro pay each other's invoices
errors.py                 every failure by name: may it be retried, exit code, hint for the operator
heartbeat.py              signs of life of the running jobs, taken from what a person watching would see
item_tables.py            plans for suppliers' items as tables for people, and as JSON for programs
item_writing.py           one write to an item: what goes into it, and what its answer proves
lasting.py                tasks that go on until somebody ends them, and are missed if they do not
passes.py                 one pass: the pages of a list into the mirror, and what a whole one did not find
payment_tables.py         payments as tables for people, and as JSON for programs
receiving.py              one attached file: from its source, checked, under its name on the disk
screen.py                 what a person sees: live progress and tables
service.py                jobs on their schedules, for months: wake-ups, turns, quota, setbacks, watchdog
sheets.py                 tables that lose nothing: side by side where the screen is wide enough, else row by row
shifts.py                 one service after the other, until a signal says it is over: reload, drain, the end in time
tables.py                 status and estimate as tables for people, and status as JSON for programs
telemetry.py              structlog set-up, the declared event names, redaction, excerpts of foreign text

adapters/                 the outside world: one package per thing on the other side
  clock.py                real time and sleep
  systemd.py              the notify socket of systemd: ready, reloading, stopping, how it is, and that it is alive
  threads.py              blocking work on threads, always run to its end

adapters/catalogues/      where wanted items come from: files, and tables of a database
  files.py                wanted items in files: CSV, and JSON Lines
  tables.py               wanted items in a database: what one query gives

adapters/databases/       databases of the user: the books, and tables of wanted items
  database.py             what is needed of a database, and how each kind is opened
  mysql.py                a MySQL or MariaDB database
  postgres.py             a PostgreSQL database
  sqlite.py               an SQLite file
  thread.py               blocking work on one thread of its own, with a deadline that is kept

adapters/disk/            attachments as files: complete under their names, or not there
  draft.py                one file being written: a name of its own, fsync, its final name, fsync of the folder
  failures.py             what the file system refuses, said to the operator
  folder.py               the directory of attached files: whose it is, how much room there is, and every file in it
  manifest.py             the list of what is kept, one JSON object a line, beside the files
  places.py               paths below the root, reached folder by folder without following a symbolic link

adapters/http/            one origin over HTTP: session (one exchange), throttled (budget), retrying
  downloads.py            files from other hosts: without the key, over https, never from inside somebody's network
  exchange.py             one request and its answer; which answer is which error
  faults.py               failures of aiohttp as our own, without the key behind them; bodies that are still coming
  gate.py                 the gate every call passes: who goes next, when, and not before it is charged
  key_guard.py            a key that Precoro refuses is not tried again and again
  origin.py               one origin over aiohttp: no redirects, no cookies, one request on the wire, bounded answers
  outcomes.py             what became of a call, in words of which there are few, for those who count
  retrying.py             a failed call is tried again, later, as long as that can help
  session.py              one exchange with Precoro: its headers, its forms, and what is in doubt when no answer comes
  throttled.py            the one place where calls are charged, and where answers teach the budget

adapters/ledgers/         accounting systems behind one port: sql, rest, csv
  answers.py              what an HTTP answer of the books holds: exact JSON, values by their path, rows
  cells.py                how amounts, days, currencies and names are read, or why they cannot be
  csv.py                  the csv ledger: a watched folder of exports in, one file for each payment out
  exports.py              one file of payments, read whole: its rows, and for each bad one where it stands and why
  outbox.py               a folder that gets one file for each payment, complete and once
  outcomes.py             what an HTTP answer means: for a question, and for a payment that was sent
  paging.py               page after page of payments, without losing rows that move between pages meanwhile
  positions.py            from which position to go on, whether the books are asked for what is past it or from it on
  rest.py                 the rest ledger: payments behind an HTTP interface, by the requests of the configuration
  rest_rows.py            rows of an HTTP answer as payments
  rows.py                 one row of the books as a payment, or what is wrong with it
  sql.py                  the sql ledger: payments in a database, by the statements of the configuration

adapters/listener/        what others ask of us, each on a socket of its own: webhooks; health and a page; orders
  attention.py            what needs a person, and what to type
  control.py              a socket beside the state, on which a command asks whoever holds it to do something
  health.py               whether the program lives and whether it is ready, with the reasons why not
  html.py                 HTML that escapes whatever is put into it
  metrics.py              what the program and its state come to in numbers, as Prometheus reads them
  page.py                 the page for people: what is fresh, what waits, what needs them
  quota_chart.py          the quota as people see it: what is left, who may spend it, and when it was spent
  serving.py              an aiohttp application on a socket of ours, which no client can hold up for long or fill
  watch.py                one socket for those who watch: health, readiness, metrics, and a page for people
  webhooks.py             webhooks on a secret path: checked, read within bounds, kept, then answered

adapters/precoro/         Precoro itself: its answers as pages and documents
  attachments.py          attached files from Precoro: the bytes themselves, or an address where they are
  client.py               the Precoro port over HTTP
  items.py                writing items over HTTP: requests that are never repeated, and what their answers mean
  pages.py                the page walk: pages in flight, handed out in order
  paying.py               paying invoices over HTTP: one request that is never repeated, and what its answer means
  refusing.py             what Precoro says when it refuses a write, and what only a proxy in between may have said
  wire.py                 list and detail answers as pages and documents; every shape they have been seen in

adapters/sql/             the state store on SQLite: the mirror, its change log, and the account of calls
  attachments.py          attached files on SQLite: read out of details as the change log brings them
  backup.py               a copy of the state beside its writer: one file, checked, there completely or not at all
  budget_book.py          the account of API calls on SQLite
  catalogue.py            suppliers' items on SQLite: what the mirror has of them, and the plans
  catalogue_rows.py       rows of the tables of suppliers' items ↔ the domain's values
  claims.py               what the books claim, on SQLite; read together with the mirror's invoices
  commits.py              one commit of list pages: records, change rows, pass progress and cursor
  custom_field_views.py   the views of custom fields: values by their owners, fields, options and what options were
  custom_fields.py        custom fields on SQLite: what records refer to, what is due, options and what they were
  deliveries.py           webhooks that came, on SQLite
  details.py              details on SQLite: which are due, and what storing one settles
  failures.py             what SQLite and the file system refuse, said to the operator
  holder.py               one process holds the state: a lock file beside it that names the holder
  intent_rows.py          rows of the journal's tables ↔ the domain's values
  journal.py              intents, attempts and the append-only journal on SQLite
  lap_book.py             the last lap of each job on SQLite
  mirror.py               the mirror on SQLite
  opening.py              opens the state file, or says in one sentence why not and leaves it untouched
  overview.py             what the store holds and what is due, for people; read beside the one writer
  ownership.py            what root makes beside a state belongs to its owner, whose service has to open it
  paid_set.py             which invoices are paid, compared inside SQLite page by page
  restoring.py            a backup comes back: whole, disarmed, and no call to Precoro forgotten
  rows.py                 rows of the store ↔ the domain's values
  schema.py               brings a state file to the present schema: migrations, views, whose data it is
  statements.py           the store's SQL by name, read from the .sql files beside this module
  store.py                opens the state store: everything the program remembers, on one file
  transactions.py         one connection on one thread; a transaction is one function run there
  views.py                the views people query: one per collection, one per kind of document lines
  witness.py              a file beside the store that tells a restored, copied or moved one from the one that sent

cli/                      arguments → settings → run → exit code; the only package that prints or exits
  commands.py             --once, and the commands that look: check, status, estimate
  files.py                commands for attached files
  items.py                suppliers' items: what would change, carry it out, and the file one starts from
  payments.py             payments: what would be sent, what a person must decide, and what happened to each
  rehearsals.py           the sandbox, and the demo that runs against it
  running.py              what every command needs: settings, a console, an event loop, how failures end
  service.py              run: the program as a service, until it is told to stop
  state.py                commands for the state: a backup while the program runs, and the way back

domain/                   the rules: pure functions and values; no await, no clock, no I/O, no logging
  absences.py             what a whole pass did not list: gone, to be asked about, or not to be believed
  addresses.py            where the program listens: host and port, or a Unix socket
  attachments.py          what is missing, safe names, when a resume is sound
  budget.py               windows, duplicate GETs, lanes, reserves: when may who make the next call
  caps.py                 how much may be sent at most: in one payment, in a day, in a lap
  catalogue.py            wanted items against Precoro's items → plan
  changes.py              listing against mirror → plan
  collections.py          what Precoro offers: path, key, detail, lines; data, not code
  cursors.py              when a pass is stable, when a cursor may move
  custom_fields.py        custom fields: what their definitions say, how options nest, what became of them
  deliveries.py           what a webhook says: which kind of record, and whether its body can be read
  documents.py            records, versions, tolerant reading of loose JSON
  doubts.py               what becomes of an attempt whose outcome is unknown, by what the invoice shows afterwards
  entries.py              what the configuration may call the parts of a payment, and how each is written
  estimates.py            what a first mirror costs: calls and time, from one page of each list
  exports.py              which payments of a paid invoice the books must get, and which a person decides
  field_references.py     which custom fields a record refers to: in itself and in its lines, in every shape
  filters.py              what the user wants kept, as a query and as a test of one record
  intents.py              one intent and one attempt as values, and what an event makes of them
  invoices.py             invoices and their payments, read from loose JSON with every digit kept
  item_writes.py          one write to an item: its states, and what becomes of one whose outcome is unknown
  items.py                one item of the catalogue: its fields as exact values, and the form that writes it
  matching.py             which invoice a payment in the books is for, and whether it may be sent
  money.py                exact amounts
  payments.py             life of an intent as a transition table
  quota.py                what schedules need of a day's calls, and what that leaves to documents and back-fill
  refusals.py             what a 429 says: which window is closed, and for how long
  retries.py              failure + attempt → wait or give up
  schedules.py            when a job has its turn by itself: every so often, or at times of the day
  statements.py           named parameters in an SQL statement, told from strings, comments and casts
  suppliers.py            which supplier a name means: Precoro's id, the unique code, or the external id
  templates.py            texts with {names} in them: filled into addresses, headers, forms and JSON
  wanted_items.py         rows of a source as wanted items, or every mistake in them: row, column, value, reason
  words.py                lengths of time, amounts of bytes and points in time, as people say them

jobs/                     what it does: one module = one command = one log field
  apply_deliveries.py     webhooks → targeted refreshes
  estimate_cost.py        calls and days a first mirror will cost, from one page per collection
  export_payments.py      payments made in Precoro are recorded in the books, each once
  fetch_attachments.py    missing files to disk
  fetch_details.py        full documents of new or changed ones, by IDN
  find_attachments.py     which records carry files, where nothing else asks for their details
  manage_items.py         approved plans for suppliers' items are carried out at Precoro, each write once
  mark_invoices_paid.py   payments in the books are recorded at Precoro, each once
  mirror_collections.py   lists into the mirror, by cursor
  plan_items.py           a supplier's wanted items against Precoro's, as a plan that is shown before anything is sent
  resolve_custom_fields.py  definitions and options behind the ids
  take_census.py          what did the passes miss
  verify_attachments.py   kept files against what is known of them

paying/                   what both payment jobs share: steps recorded and told, the books read, doubts settled
  deciding.py             what a person decides about a payment, journalled like everything else
  forecasting.py          what the next lap would do, told without sending anything
  keeping.py              every step of an intent, recorded and told
  orders.py               what a person wants done with payments, as data: carried out by whoever holds the state
  planning.py             what the books claim becomes intents
  recording.py            payments to the books whose outcome is unknown are settled by what the books can promise
  settling.py             doubts about payments to Precoro are settled by looking, and loose ends are tied up

ports/                    what jobs need from outside, as Protocols with written contracts
  attachments.py          attached files: where they come from, what is known of them, where they are kept
  budget_book.py          what the account of API calls must not forget
  catalogue.py            a supplier's items: what is wanted, what is there, the plan, and the desk that writes
  custom_fields.py        what is known of custom fields, and which definitions are due
  deliveries.py           webhooks that came: kept until they are applied
  journal.py              what paying must not forget: intents, their journal, the claims of the books, the paid set
  lap_book.py             when each job last had its turn, across restarts
  laps.py                 what one lap of a job tells whoever called it
  ledger.py               the accounting system, as far as payments go
  mirror.py               the mirror, its change log, its passes and cursors
  precoro.py              the company's data at Precoro
  progress.py             what a person watching may see
  pulse.py                how each job is doing while the program runs, and the supervisor that is told
  time.py                 time as the program lives it
  watch.py                what those who watch may see: a snapshot of the whole program, and how to get one

sandbox/                  a local Precoro: limits, pages, files, payments, faults; for tests and rehearsals
  books.py                a small set of books in SQLite beside the made-up company, as an accountant keeps them
  cards.py                list entries of payments, suppliers, catalogue items, fields and small sets
  clock.py                its clock, which may run faster than ours
  company.py              the company's data, and what users do to it
  console.py              the page for people at `/`
  control.py              its remote control over HTTP, for tests that run another process
  custom_fields.py        custom fields: their types, their nested options, and values that fit them
  details.py              what a detail says beyond the list entry (lines, payments, files, options)
  downloads.py            a file as an answer: whole, or the rest that was asked for; from here or from another origin
  entries.py              list entries of documents and payments, drawn from a row's facts
  fault_kinds.py          every kind of fault, one small function each, in one registry
  faults.py               scripted faults: which call goes wrong, how, and how often
  files.py                attached files, small and valid, drawn from their id
  filters.py              the filters of a list call, read from its query
  forms.py                request bodies, read as the live API reads them
  founding.py             the company as it is at the start, drawn from a seed
  gate.py                 what every call passes first: journal, key, limits, faults, latency
  history.py              two years of documents and payments that fit together, drawn from a seed
  journal.py              every request seen, for tests and for the page for people
  limits.py               its limits as sliding windows in simulated time, and the 429 that tells of them
  names.py                the words its company is made of, in many scripts, read from names.json
  options.py              what it can be asked to be (size, limits, time, list order, shapes)
  pages.py                one page of a list, joined from the rows' ready JSON
  paying.py               what may be paid, and what a payment does to its invoice or expense
  procedures.py           approvals, receipts, contracts, field options, uploads, propositions
  reads.py                its GET endpoints: lists, details, files
  refusals.py             how it says no, in the vendor's own error shapes
  replies.py              its plain answers: JSON, an HTML page, a 429
  rows.py                 one collection's rows in every list order, with filtered orders remembered
  schema.py               its collections and what each of them offers, as a table
  server.py               the server itself, from options to an open port
  shapes.py               the loose shapes its JSON comes in, belonging to each row for good
  users.py                users who keep working while someone reads: they edit, insert, delete
  webhooks.py             its webhooks: what users change is announced to up to five addresses, once, unsigned
  writes.py               writing the catalogue, suppliers, payments, small sets and external ids

settings/                 TOML + environment + credential files → frozen Settings; the only reader of them
  attachments.py          the section of attached files
  credentials.py          the API key from its file: read only if nobody else can, and never shown
  custom_fields.py        the section of custom fields: meaning, unit, reason for the default
  databases.py            how a database is reached: what the books and a table of wanted items have in common
  files.py                opens what is a regular file: a pipe may be waited for, for ever
  items.py                [manage_items]: where a supplier's wanted items come from, and what may be done about them
  ledger.py               [ledger]: the books that payments are kept in step with
  ledger_csv.py           [ledger.csv]: files of payments that come in, and files that go out
  ledger_rest.py          [ledger.rest]: an accounting system's HTTP interface and what is asked of it
  ledger_sql.py           [ledger.sql]: an accounting database and what is asked of it
  ledger_values.py        how the values of a ledger's settings are read, and what is allowed
  lines.py                on which line of a TOML document each table, key and list item stands
  listening.py            [apply_deliveries] and [watch]: what others may ask of the program, and where it listens
  mistakes.py             what pydantic complains of, as sentences for the operator
  model.py                the whole configuration, its sections held against each other
  payments.py             [payments], [mark_invoices_paid], [export_payments]: what is matched and what may be sent
  reading.py              file, environment and credential files → values with their origins → Settings
  sections.py             every section, key by key: meaning, unit, reason for the default
  values.py               how one value is read, from TOML or from a variable, and what is allowed

settings/presets/         requests for accounting systems that are known, as TOML files

wiring/                   builds adapters, wraps them, hands them to jobs; the only package that names both sides
  asking.py               how a service that runs somewhere is, as a health check asks it
  assembly.py             opens the state and the connection to Precoro, and builds the jobs on them
  checks.py               what `check` looks at, part by part: each says how it is, or raises what is wrong with it
  control.py              orders about payments: carried out here, or by the service that holds the state
  databases.py            opens the databases that the configuration names
  item_job.py             the job that carries out plans for suppliers' items
  items.py                what the commands do with suppliers' items and the plans for them
  jobs.py                 the jobs of a run, and when each of them is due
  ledger.py               opens the books that the configuration names
  listeners.py            opens the sockets on which others ask something of the program
  look.py                 the state as `status` shows it, read beside the instance that may hold it
  payments.py             the jobs of payments, and what the commands do to intents
  runs.py                 one run, from opening the state to the report
  services.py             the program as a service: the state held throughout, all else built anew at each reload
  state.py                backups of the state, and the way back
  values.py               settings as the values that the parts are built from
  watch.py                opens the socket of those who watch, and makes what they see of the program and its state
"""

__version__ = "0.1.0"
