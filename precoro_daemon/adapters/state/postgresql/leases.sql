-- name: make
-- Makes the tables of a fleet unless they are there. Two workers may start at the same moment: one makes them.
SELECT pg_advisory_xact_lock(hashtext('precoro_fleet'));
CREATE SCHEMA IF NOT EXISTS precoro_fleet;
CREATE TABLE IF NOT EXISTS precoro_fleet.workers (
    id text PRIMARY KEY,
    name text NOT NULL,
    started timestamptz NOT NULL DEFAULT clock_timestamp(),
    alive_until timestamptz NOT NULL,
    draining boolean NOT NULL DEFAULT FALSE,
    configurations jsonb,
    egress text,
    most integer
);
CREATE TABLE IF NOT EXISTS precoro_fleet.companies (
    name text PRIMARY KEY,
    schema text NOT NULL UNIQUE,
    holder text,
    epoch bigint NOT NULL DEFAULT 0,
    moved_to text,
    since timestamptz
);
CREATE TABLE IF NOT EXISTS precoro_fleet.commands (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    company text NOT NULL,
    command text NOT NULL,
    arguments jsonb NOT NULL,
    given_by text NOT NULL,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    taken_by text,
    done_at timestamptz,
    outcome text
);
CREATE INDEX IF NOT EXISTS commands_open ON precoro_fleet.commands (company) WHERE taken_by IS NULL;
CREATE TABLE IF NOT EXISTS precoro_fleet.deliveries (
    company text NOT NULL,
    type integer NOT NULL,
    id bigint NOT NULL,
    idn bigint,
    received bigint NOT NULL DEFAULT 1,
    PRIMARY KEY (company, type, id)
);
DO $$ BEGIN
    IF NOT EXISTS (
        SELECT FROM pg_attribute WHERE attrelid = 'precoro_fleet.workers'::regclass AND attname = 'egress'
    ) THEN
        ALTER TABLE precoro_fleet.workers
            ADD COLUMN configurations jsonb, ADD COLUMN egress text, ADD COLUMN most integer;
    END IF;
END $$;

-- name: enrol
-- Makes companies known to the fleet; those that are known, by name or by schema, stay as they are.
INSERT INTO precoro_fleet.companies (name, schema)
SELECT given.name, given.schema FROM unnest(%(companies)s::text[], %(schemas)s::text[]) AS given (name, schema)
ORDER BY given.name
ON CONFLICT DO NOTHING

-- name: enrolled_otherwise
-- Of these companies, those whose name the fleet has for another schema, or their schema under another name.
SELECT given.name, known.name AS known_name, known.schema AS known_schema
FROM unnest(%(companies)s::text[], %(schemas)s::text[]) AS given (name, schema)
JOIN precoro_fleet.companies known
    ON (known.name = given.name AND known.schema <> given.schema)
    OR (known.schema = given.schema AND known.name <> given.name)
ORDER BY given.name

-- name: forget
-- A company of the fleet no more, unless a living worker serves it. Its state stays as it is; webhooks that nobody
-- applied yet go with it.
WITH gone AS (
    DELETE FROM precoro_fleet.companies c
    WHERE c.name = %(company)s
        AND NOT EXISTS (
            SELECT FROM precoro_fleet.workers w WHERE w.id = c.holder AND w.alive_until > clock_timestamp()
        )
    RETURNING c.name
), unapplied AS (
    DELETE FROM precoro_fleet.deliveries d USING gone WHERE d.company = gone.name
)
SELECT name FROM gone

-- name: join
-- A new worker, alive for one lease by the database's clock. Those that share its address have to know at once.
WITH joined AS (
    INSERT INTO precoro_fleet.workers (id, name, egress, most, alive_until, draining)
    VALUES (
        %(worker)s, %(name)s, %(egress)s, %(most)s, clock_timestamp() + %(lease)s * interval '1 second', %(draining)s
    )
    RETURNING id
)
SELECT id, pg_notify('precoro_fleet', 'joined') FROM joined

-- name: forget_dead
-- Workers that have been dead for a day and hold nothing.
DELETE FROM precoro_fleet.workers w
WHERE w.alive_until < clock_timestamp() - interval '1 day'
    AND NOT EXISTS (SELECT FROM precoro_fleet.companies c WHERE c.holder = w.id)

-- name: renew
-- Prolongs the lease of a worker, unless it ran out: that is never prolonged again. It waits for no disk and no
-- standby: one that stands still for a while would end all leases at once. A server that crashes may forget it; then
-- the lease ends earlier, and the fence does not go by it.
UPDATE precoro_fleet.workers SET alive_until = clock_timestamp() + %(lease)s * interval '1 second'
FROM (SELECT set_config('synchronous_commit', 'off', TRUE)) AS unawaited
WHERE id = %(worker)s AND alive_until > clock_timestamp()

-- name: holdings
-- What a living worker holds: a row for each company, or one without. No row: its lease ran out.
SELECT c.name, c.epoch, c.schema, c.moved_to
FROM precoro_fleet.workers w LEFT JOIN precoro_fleet.companies c ON c.holder = w.id
WHERE w.id = %(worker)s AND w.alive_until > clock_timestamp()
ORDER BY c.name

-- name: survey
-- Every living worker: how many companies it holds and how many wait for it; and how many there are and are free.
-- Apart from them, those that no other worker knows. One that has not said yet what it knows counts as knowing all.
WITH alive AS (
    SELECT id, name, draining, egress, most, configurations FROM precoro_fleet.workers
    WHERE alive_until > clock_timestamp()
), others AS (
    SELECT configurations FROM alive WHERE id <> %(worker)s AND NOT draining
), only_here AS (
    SELECT given.name FROM unnest(%(known)s::text[]) AS given (name)
    WHERE EXISTS (SELECT FROM others) AND NOT EXISTS (SELECT FROM others WHERE configurations IS NULL)
        AND given.name NOT IN (SELECT jsonb_object_keys(configurations) FROM others)
), known AS (
    SELECT c.name, c.moved_to, alive.id AS holder
    FROM precoro_fleet.companies c LEFT JOIN alive ON alive.id = c.holder
    WHERE c.name = ANY(%(known)s) AND c.name NOT IN (SELECT name FROM only_here)
)
SELECT alive.id, alive.name, alive.draining, alive.egress, alive.most,
    (SELECT array_agg(name) FROM only_here) AS only_here,
    (SELECT count(*) FROM known WHERE known.holder = alive.id) AS held,
    (SELECT count(*) FROM known WHERE known.holder IS NULL AND known.moved_to = alive.name) AS moved_here,
    (SELECT count(*) FROM known) AS companies,
    (SELECT count(*) FROM known WHERE known.holder IS NULL) AS free
FROM alive

-- name: take
-- Takes companies without a living holder, those first that were moved here; each gets the next epoch. One in whose
-- state a transaction is under way is left out: its turn comes when that has ended. One that another worker takes at
-- the same moment has another epoch by the time it is locked.
WITH alive AS (
    SELECT id, name, draining FROM precoro_fleet.workers WHERE alive_until > clock_timestamp()
), seen AS MATERIALIZED (
    SELECT c.name, c.epoch FROM precoro_fleet.companies c
    WHERE c.name = ANY(%(known)s)
        AND NOT EXISTS (SELECT FROM alive WHERE alive.id = c.holder)
        AND (
            c.moved_to IS NULL OR c.moved_to = %(name)s
            OR NOT EXISTS (SELECT FROM alive WHERE alive.name = c.moved_to AND NOT alive.draining)
        )
        AND EXISTS (SELECT FROM alive WHERE alive.id = %(worker)s)
), free AS (
    SELECT c.name FROM precoro_fleet.companies c JOIN seen ON seen.name = c.name AND seen.epoch = c.epoch
    ORDER BY (c.moved_to IS NOT DISTINCT FROM %(name)s) DESC, c.since NULLS FIRST, c.name
    LIMIT %(most)s
    FOR NO KEY UPDATE OF c SKIP LOCKED
)
UPDATE precoro_fleet.companies c SET holder = %(worker)s, epoch = c.epoch + 1, since = clock_timestamp()
FROM free WHERE c.name = free.name
RETURNING c.name, c.epoch, c.schema, c.moved_to

-- name: seize
-- Takes one company from its holder, under the next epoch. What its holder has begun in its state ends first.
UPDATE precoro_fleet.companies c SET holder = %(worker)s, epoch = c.epoch + 1, since = clock_timestamp()
WHERE c.name = %(company)s
RETURNING c.name, c.epoch, c.schema, c.moved_to

-- name: end_sessions
-- Ends the sessions of workers that are dead and still hold companies. A worker that was stopped in the midst of a COPY
-- would keep its row lock otherwise: no time-out of the server ends a session that waits for such data.
SELECT count(pg_terminate_backend(a.pid)) AS ended
FROM pg_stat_activity a JOIN precoro_fleet.workers w ON a.application_name = w.id
WHERE w.alive_until <= clock_timestamp() AND a.usename = current_user AND a.pid <> pg_backend_pid()
    AND EXISTS (SELECT FROM precoro_fleet.companies c WHERE c.holder = w.id)

-- name: release
-- Hands companies back at once, and says which. One in whose state a transaction is under way is left out.
WITH ours AS (
    SELECT name FROM precoro_fleet.companies
    WHERE holder = %(worker)s AND name = ANY(%(companies)s)
    FOR NO KEY UPDATE SKIP LOCKED
), released AS (
    UPDATE precoro_fleet.companies c SET holder = NULL, since = clock_timestamp()
    FROM ours WHERE c.name = ours.name
    RETURNING c.name
)
SELECT name, pg_notify('precoro_fleet', 'free') FROM released

-- name: leave
-- The end of a worker: whatever it still holds is free with that.
WITH gone AS (DELETE FROM precoro_fleet.workers WHERE id = %(worker)s RETURNING id)
SELECT id, pg_notify('precoro_fleet', 'free') FROM gone

-- name: move
-- Gives a company to the worker of a name, as soon as its holder has handed it back.
WITH moved AS (
    UPDATE precoro_fleet.companies SET moved_to = %(name)s
    WHERE name = %(company)s
        AND EXISTS (
            SELECT FROM precoro_fleet.workers w
            WHERE w.name = %(name)s AND w.alive_until > clock_timestamp() AND NOT w.draining
        )
    RETURNING name
)
SELECT name, pg_notify('precoro_fleet', 'moved') FROM moved

-- name: drain
-- The living workers of a name take nothing any more and hand back what they have.
WITH drained AS (
    UPDATE precoro_fleet.workers SET draining = TRUE
    WHERE name = %(name)s AND alive_until > clock_timestamp()
    RETURNING id
)
SELECT id, pg_notify('precoro_fleet', 'draining') FROM drained

-- name: workers
-- All that are alive or still hold companies: how long ago each renewed its lease, and what is left of it.
SELECT w.name, w.draining, extract(epoch FROM clock_timestamp() - w.started)::float8 AS up_s,
    extract(epoch FROM w.alive_until - clock_timestamp())::float8 AS left_s,
    (SELECT count(*) FROM precoro_fleet.companies c WHERE c.holder = w.id) AS companies, w.most
FROM precoro_fleet.workers w
WHERE w.alive_until > clock_timestamp() OR EXISTS (SELECT FROM precoro_fleet.companies c WHERE c.holder = w.id)
ORDER BY w.name, w.started

-- name: holders
-- Every company with the living worker that serves it, if one does, and since when that is so.
SELECT c.name AS company, w.name AS worker, c.epoch, c.moved_to,
    extract(epoch FROM clock_timestamp() - c.since)::float8 AS for_s
FROM precoro_fleet.companies c
LEFT JOIN precoro_fleet.workers w ON w.id = c.holder AND w.alive_until > clock_timestamp()
ORDER BY c.name

-- name: declare
-- A worker's settings of its companies, as a hash of each.
UPDATE precoro_fleet.workers SET configurations = %(own)s
WHERE id = %(worker)s AND configurations IS DISTINCT FROM %(own)s

-- name: differing
-- Companies for which two living workers have other settings, and all that have some.
SELECT own.key AS company, array_agg(DISTINCT w.name ORDER BY w.name) AS workers
FROM precoro_fleet.workers w CROSS JOIN jsonb_each_text(w.configurations) AS own
WHERE w.alive_until > clock_timestamp()
GROUP BY own.key HAVING count(DISTINCT own.value) > 1
ORDER BY own.key

-- name: give
-- A command for the holder of a company, whichever worker that is.
WITH given AS (
    INSERT INTO precoro_fleet.commands (company, command, arguments, given_by)
    VALUES (%(company)s, %(command)s, %(arguments)s, %(given_by)s)
    RETURNING id
)
SELECT id, pg_notify('precoro_fleet', 'command') FROM given

-- name: take_commands
-- Commands for these companies, as far as this worker holds them, in the order in which they were given. Each is taken
-- once.
WITH open AS (
    SELECT m.id FROM precoro_fleet.commands m JOIN precoro_fleet.companies c ON c.name = m.company
    WHERE m.taken_by IS NULL AND c.holder = %(worker)s AND m.company = ANY(%(companies)s)
    ORDER BY m.id
    FOR UPDATE OF m SKIP LOCKED
), taken AS (
    UPDATE precoro_fleet.commands m SET taken_by = %(worker)s FROM open WHERE m.id = open.id
    RETURNING m.id, m.company, m.command, m.arguments, m.given_by
)
SELECT id, company, command, arguments, given_by FROM taken ORDER BY id

-- name: withdraw
-- A command that nobody took is never taken.
DELETE FROM precoro_fleet.commands WHERE id = %(command)s AND taken_by IS NULL RETURNING id

-- name: outcome
-- What came of a command, if anything did.
SELECT outcome FROM precoro_fleet.commands WHERE id = %(command)s AND done_at IS NOT NULL

-- name: forget_commands
-- Those that were given more than a week ago.
DELETE FROM precoro_fleet.commands WHERE at < clock_timestamp() - interval '7 days'

-- name: finish
-- What came of a command.
WITH done AS (
    UPDATE precoro_fleet.commands SET done_at = clock_timestamp(), outcome = %(outcome)s
    WHERE id = %(command)s AND taken_by = %(worker)s AND done_at IS NULL
    RETURNING id
)
SELECT id, pg_notify('precoro_fleet', 'done') FROM done

-- name: put_deliveries
-- Keeps webhooks for the holder of the company, unless too many wait already; says which were kept. Those that wait
-- are counted once more. The order keeps two workers from waiting for each other's rows.
WITH company AS (
    SELECT name FROM precoro_fleet.companies WHERE name = %(company)s AND schema = %(schema)s
), room AS (
    SELECT %(most)s - count(*) AS left FROM precoro_fleet.deliveries WHERE company = %(company)s
), given AS (
    SELECT given.type, given.id, given.idn, waits.type IS NOT NULL AS known,
        row_number() OVER (PARTITION BY waits.type IS NULL ORDER BY given.type, given.id) AS place
    FROM unnest(%(types)s::integer[], %(ids)s::bigint[], %(idns)s::bigint[]) AS given (type, id, idn)
    LEFT JOIN precoro_fleet.deliveries waits
        ON waits.company = %(company)s AND waits.type = given.type AND waits.id = given.id
), kept AS (
    INSERT INTO precoro_fleet.deliveries AS waits (company, type, id, idn)
    SELECT company.name, given.type, given.id, given.idn FROM company, room, given
    WHERE given.known OR given.place <= room.left
    ORDER BY given.type, given.id
    ON CONFLICT (company, type, id) DO UPDATE SET
        received = waits.received + 1, idn = coalesce(excluded.idn, waits.idn)
    RETURNING waits.type, waits.id
)
SELECT type, id, pg_notify('precoro_deliveries', %(company)s) FROM kept

-- name: waiting_deliveries
-- Webhooks that wait for who serves the company, and how often each came.
SELECT type, id, idn, received FROM precoro_fleet.deliveries WHERE company = %(company)s ORDER BY type, id

-- name: remove_deliveries
-- Those that its state has now, unless they came once more since they were read, or come at this moment.
DELETE FROM precoro_fleet.deliveries WHERE (company, type, id) IN (
    SELECT waits.company, waits.type, waits.id
    FROM precoro_fleet.deliveries waits
    JOIN unnest(%(types)s::integer[], %(ids)s::bigint[], %(received)s::bigint[]) AS taken (type, id, received)
        ON waits.type = taken.type AND waits.id = taken.id AND waits.received = taken.received
    WHERE waits.company = %(company)s
    FOR UPDATE OF waits SKIP LOCKED
)

-- name: check
-- Is the company still ours? The row lock makes a hand-over wait for the end of this transaction. A worker that is
-- stopped inside it loses its session, and with it the lock, after one lease.
SELECT set_config('idle_in_transaction_session_timeout', %(lease_ms)s, TRUE)
FROM precoro_fleet.companies
WHERE name = %(company)s AND epoch = %(epoch)s AND holder = %(worker)s
FOR SHARE

-- name: check_permit
-- The same; and the lease runs for so many seconds more, by the database's clock.
SELECT set_config('idle_in_transaction_session_timeout', %(lease_ms)s, TRUE)
FROM precoro_fleet.companies c JOIN precoro_fleet.workers w ON w.id = c.holder
WHERE c.name = %(company)s AND c.epoch = %(epoch)s AND c.holder = %(worker)s
    AND w.alive_until > clock_timestamp() + %(reserve)s * interval '1 second'
FOR SHARE OF c
