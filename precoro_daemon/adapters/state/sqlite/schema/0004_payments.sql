-- Payments in the books, as last read. `facts` is what they say in one text; `carried` is what it was when an intent was
-- made of it, `intent` is that intent. `takes_back`: the amount is zero or less.
CREATE TABLE claims (
    ledger     TEXT    NOT NULL,
    key        TEXT    NOT NULL,
    invoice    TEXT    NOT NULL,
    amount     TEXT    NOT NULL,
    currency   TEXT    NOT NULL,
    day        TEXT    NOT NULL,
    supplier   TEXT,
    ours       TEXT,
    takes_back INTEGER NOT NULL,
    facts      TEXT    NOT NULL,
    carried    TEXT,
    intent     TEXT,
    seen_at    REAL    NOT NULL,
    PRIMARY KEY (ledger, key)
) WITHOUT ROWID;

CREATE INDEX claims_waiting ON claims (ledger, invoice) WHERE intent IS NULL;
CREATE INDEX claims_by_invoice ON claims (ledger, invoice);
CREATE INDEX claims_taking_back ON claims (ledger) WHERE intent IS NULL AND takes_back;
CREATE INDEX claims_changed ON claims (ledger) WHERE intent IS NOT NULL AND facts <> carried;

CREATE TABLE misread_claims (
    ledger  TEXT NOT NULL,
    key     TEXT NOT NULL,
    reason  TEXT NOT NULL,
    raw     TEXT NOT NULL,
    seen_at REAL NOT NULL,
    PRIMARY KEY (ledger, key)
) WITHOUT ROWID;

CREATE TABLE positions (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
);

-- Payments that must exist on the other side. Amounts are exact text. `invoice_idn` has no type, like `idn` in records.
CREATE TABLE intents (
    id          TEXT    PRIMARY KEY,
    direction   TEXT    NOT NULL CHECK (direction IN ('to_precoro', 'to_ledger')),
    ledger      TEXT    NOT NULL,
    source      TEXT    NOT NULL,
    amount      TEXT    NOT NULL,
    currency    TEXT    NOT NULL,
    day         TEXT    NOT NULL,
    invoice_id  INTEGER,
    invoice_idn,
    supplier    TEXT,
    state       TEXT    NOT NULL
        CHECK (state IN ('planned', 'sending', 'confirmed', 'rejected', 'doubt', 'review')),
    reason      TEXT    NOT NULL,
    since       REAL    NOT NULL,
    attempts    INTEGER NOT NULL,
    doubted     INTEGER NOT NULL,
    looks       INTEGER NOT NULL,
    look_at     REAL,
    remote_id   TEXT,
    remote_idn,
    marked      INTEGER NOT NULL,
    told        INTEGER NOT NULL,
    seen        INTEGER NOT NULL
);

-- The last guard against two requests of ours for one remainder.
CREATE UNIQUE INDEX one_unresolved_intent ON intents (invoice_id)
WHERE direction = 'to_precoro' AND invoice_id IS NOT NULL AND state IN ('planned', 'sending', 'doubt', 'review');

CREATE INDEX intents_unresolved ON intents (direction, state) WHERE state NOT IN ('confirmed', 'rejected');
CREATE INDEX intents_unfinished ON intents (direction)
WHERE (state = 'confirmed' AND NOT (marked AND seen)) OR (state = 'rejected' AND NOT told);
CREATE INDEX intents_by_invoice ON intents (invoice_id);
CREATE INDEX intents_by_source ON intents (ledger, source);
CREATE INDEX intents_by_remote ON intents (remote_id, direction);

CREATE TABLE attempts (
    intent      TEXT    NOT NULL REFERENCES intents,
    number      INTEGER NOT NULL,
    at          REAL    NOT NULL,
    amount      TEXT    NOT NULL,
    known       TEXT    NOT NULL,
    remainder   TEXT,
    server_time REAL,
    body        TEXT    NOT NULL,
    outcome     TEXT,
    PRIMARY KEY (intent, number)
) WITHOUT ROWID;

CREATE INDEX attempts_by_time ON attempts (at);

-- Everything that ever happened to an intent (and, with an empty `intent`, to all of them), in order.
CREATE TABLE journal (
    seq     INTEGER PRIMARY KEY,
    at      REAL    NOT NULL,
    intent  TEXT    NOT NULL,
    event   TEXT    NOT NULL,
    source  TEXT    NOT NULL,
    target  TEXT    NOT NULL,
    attempt INTEGER NOT NULL,
    reason  TEXT    NOT NULL,
    facts   TEXT    NOT NULL
);

CREATE INDEX journal_by_intent ON journal (intent);

CREATE TRIGGER journal_is_never_changed BEFORE UPDATE ON journal
BEGIN
    SELECT raise(ABORT, 'the journal is append-only');
END;

CREATE TRIGGER journal_is_never_shortened BEFORE DELETE ON journal
BEGIN
    SELECT raise(ABORT, 'the journal is append-only');
END;

-- Invoices that were paid or partly paid when we last looked. `version` is what was looked at then.
CREATE TABLE paid_invoices (
    id      INTEGER PRIMARY KEY,
    version BLOB    NOT NULL,
    due     INTEGER NOT NULL,
    left_at REAL
);

CREATE INDEX paid_invoices_due ON paid_invoices (id) WHERE due;
