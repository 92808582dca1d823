-- What became of each record that an export pushed: delivered (for 30 days, and the last 10,000 of each export),
-- waiting, or dead.
CREATE TABLE pushes (
    export     text COLLATE "C" NOT NULL,
    id         text COLLATE "C" NOT NULL,
    collection text COLLATE "C" NOT NULL,
    record     bigint NOT NULL,
    seq        bigint NOT NULL,
    settled_at double precision NOT NULL,
    since      double precision NOT NULL,
    state      text COLLATE "C" NOT NULL,
    tried_at   double precision NOT NULL,
    attempts   bigint NOT NULL,
    due_at     double precision NOT NULL,
    answer     text COLLATE "C" NOT NULL,
    PRIMARY KEY (export, id)
);

CREATE INDEX pushes_by_change ON pushes (export, seq);

CREATE INDEX pushes_by_time ON pushes (export, tried_at);

CREATE INDEX pushes_undelivered ON pushes (export, collection, record) WHERE state <> 'delivered';

CREATE INDEX pushes_waiting ON pushes (export, due_at) WHERE state = 'waiting';
