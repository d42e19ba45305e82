-- The agent's database, version 1.  One file, one thread, one connection.

-- Single facts: store, age_ms, next_task, last_seq, event_sent, paused, estop, draining …
CREATE TABLE meta (
	key   TEXT PRIMARY KEY,
	value NOT NULL
) WITHOUT ROWID;

-- One row a task, live or finished.
CREATE TABLE task (
	number         INTEGER PRIMARY KEY,  -- counts every task ever made
	id             TEXT NOT NULL UNIQUE,
	type           TEXT NOT NULL,
	category       TEXT NOT NULL,
	flags          INTEGER NOT NULL,     -- exclusive 1, blocking 2, resumable 4, resumes 8
	args           TEXT NOT NULL,
	labels         TEXT NOT NULL,
	after          TEXT NOT NULL,        -- ids, a space between two
	predecessor    TEXT NOT NULL,
	retries        INTEGER NOT NULL,
	retry_delay_ms INTEGER NOT NULL,
	timeout_ms     INTEGER NOT NULL,
	boot           TEXT NOT NULL,
	created_at     INTEGER NOT NULL,     -- wall clock, milliseconds, as all *_at
	-- from here on it changes
	status         INTEGER NOT NULL,
	stopping       INTEGER NOT NULL,
	rev            INTEGER NOT NULL,
	solid_rev      INTEGER NOT NULL,
	arrival        INTEGER NOT NULL,
	priority       INTEGER NOT NULL,
	after_open     INTEGER NOT NULL,     -- bit i: after[i] is not decided yet
	attempt        INTEGER NOT NULL,
	retries_left   INTEGER NOT NULL,
	resumed        INTEGER NOT NULL,
	crashes        INTEGER NOT NULL,
	progress       REAL NOT NULL,
	total          REAL NOT NULL,
	message        TEXT NOT NULL,
	checkpoint     TEXT,
	state          INTEGER NOT NULL,     -- began 1, again 2
	result         TEXT,
	error_code     TEXT NOT NULL,
	error_message  TEXT,
	started_at     INTEGER NOT NULL,
	completed_at   INTEGER NOT NULL,
	elapsed_ms     INTEGER NOT NULL,
	attempt_ms     INTEGER NOT NULL,
	ended_age      INTEGER NOT NULL,     -- agent's age in milliseconds when it ended
	photos         INTEGER NOT NULL
);
CREATE INDEX task_ended ON task (ended_age, number) WHERE status >= 3;

-- The tasks' logs, 64 KiB each at most.
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

-- What makes a repeated command a repetition: "i" + task id or "r" + request.
CREATE TABLE memory (
	number INTEGER PRIMARY KEY,
	key    TEXT NOT NULL UNIQUE,
	hash   TEXT NOT NULL,
	reply  TEXT NOT NULL,                -- the first reply, without its data
	status TEXT NOT NULL,                -- the task's last status, "" for other commands
	age    INTEGER NOT NULL
);

-- Promises that the broker has not acknowledged.
CREATE TABLE outbox (
	number      INTEGER PRIMARY KEY,
	kind        INTEGER NOT NULL,        -- enum promise
	topic       TEXT NOT NULL,
	task        TEXT NOT NULL,           -- for a document: whose
	payload     TEXT NOT NULL,           -- for a reply
	correlation BLOB,
	age         INTEGER NOT NULL,
	packet      INTEGER NOT NULL,        -- id of the message that it answers; 0: none
	message     TEXT NOT NULL            -- sha256 of that message, see contract section 6
);

-- Direct commands that move something and have not been answered yet.
CREATE TABLE act (
	number      INTEGER PRIMARY KEY,
	verb        TEXT NOT NULL,
	topic       TEXT NOT NULL,           -- where the reply goes
	request     TEXT NOT NULL,
	correlation BLOB,
	packet      INTEGER NOT NULL,
	message     TEXT NOT NULL
);
