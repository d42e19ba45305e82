-- The agent's database, version 1.  One file, one thread, one connection.

-- Single facts: store, age_ms, next_task, last_seq, event_sent, paused, estop, draining …
CREATE TABLE meta (
	key   TEXT PRIMARY KEY,
	value NOT NULL
) WITHOUT ROWID;

-- The table "task" is made before these, from the columns in tasks.c.
CREATE INDEX task_ended ON task (ended_age, number) WHERE status >= 3;

-- The tasks' logs, at most 64 KiB each.
CREATE TABLE log (
	task    INTEGER NOT NULL,            -- task.number
	line    INTEGER NOT NULL,
	ts      INTEGER NOT NULL,
	level   INTEGER NOT NULL,
	message TEXT NOT NULL,
	PRIMARY KEY (task, line)
) WITHOUT ROWID;

-- The newest 50,000 events as they are published.
CREATE TABLE event (
	seq  INTEGER PRIMARY KEY,
	body TEXT NOT NULL
);

-- Dedup records of commands; the key is "i" + task id or "r" + request.
CREATE TABLE memory (
	number INTEGER PRIMARY KEY,
	key    TEXT NOT NULL UNIQUE,
	hash   TEXT NOT NULL,
	reply  TEXT NOT NULL,                -- the first reply, without its data
	status TEXT NOT NULL,                -- the task's last status, "" for other commands
	age    INTEGER NOT NULL
);

-- Messages that the broker has not acknowledged.
CREATE TABLE outbox (
	number      INTEGER PRIMARY KEY,
	kind        INTEGER NOT NULL,        -- enum message_kind
	topic       TEXT NOT NULL,
	task        TEXT NOT NULL,           -- of a document: the task's id
	payload     TEXT NOT NULL,           -- of a reply
	correlation BLOB,
	age         INTEGER NOT NULL,
	packet      INTEGER NOT NULL,        -- id of the message it answers; 0: none
	message     TEXT NOT NULL            -- sha256 of that message, see contract section 6
);

-- Pending commands: direct ones that have not been answered yet.
CREATE TABLE act (
	number      INTEGER PRIMARY KEY,
	verb        TEXT NOT NULL,
	topic       TEXT NOT NULL,           -- of the reply
	request     TEXT NOT NULL,
	correlation BLOB,
	packet      INTEGER NOT NULL,
	message     TEXT NOT NULL
);
