-- A database of user_version 1, as an agent before 2026-11-30 made and left it.  Never
-- changes: a later agent must open it (tests/unit/store_version_test.c).

-- Single facts: store, age_ms, next_task, next_seq, event_sent, paused, estop, draining …
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
PRAGMA user_version = 1;

INSERT INTO meta VALUES ('store', '5a17c0de00000001');
INSERT INTO meta VALUES ('age_ms', 86400000);
INSERT INTO meta VALUES ('next_task', 4);
INSERT INTO meta VALUES ('last_seq', 12);
INSERT INTO meta VALUES ('paused', 0);

-- A finished task, every column filled.
INSERT INTO task VALUES (1, 'cup-1', 'scan_task', 'core', 5, '{"project":"cup","photos":40}', '{"shelf":"b"}',
	'warm-up cool', 'warm-up', 3, 1500, 60000, '0123456789abcdef', 1760000000123, 5, 0, 17, 16, 12, -3,
	2147483650, 2, 1, 4, 2, 7.25, 40, 'photo 7 of 40 – grüße', '{"at":7}', 3, '{"photos":7}', 'hardware_fault',
	'the camera does not answer', 1760000001000, 1760000002000, 1300, 400, 7200000, 7);
-- A paused one, resumed by itself after a restart.
INSERT INTO task VALUES (2, 'cup-2', 'counter_task', 'example', 12, '{}', '{}', '', '', 0, 1000, 0,
	'0123456789abcdef', 1760000003000, 2, 0, 5, 4, 2, 0, 0, 1, 0, 1, 0, 0.5, -1, '', '{"n":1}', 1, NULL, '', NULL,
	1760000003500, 0, 250, 250, 0, -1);
-- A pending one that waits for it.
INSERT INTO task VALUES (3, 'cup-3', 'counter_task', 'example', 2, '{"from":1}', '{}', 'cup-2', '', 0, 1000, 0,
	'fedcba9876543210', 1760000004000, 0, 0, 1, 1, 3, 9, 1, 1, 0, 0, 0, 0, 0, '', NULL, 0, NULL, '', NULL,
	0, 0, 0, 0, 0, -1);

INSERT INTO log VALUES (1, 1, 1760000001100, 1, 'started');
INSERT INTO log VALUES (1, 2, 1760000001200, 3, 'the camera is slow');

INSERT INTO event VALUES (11, '{"seq":11,"event":"task.started"}');
INSERT INTO event VALUES (12, '{"seq":12,"event":"task.error"}');

INSERT INTO memory VALUES (1, 'icup-1', '9f86d081', '{"ok":true,"task":"cup-1"}', 'error', 3600000);
INSERT INTO memory VALUES (2, 'rask-7', '60303ae2', '{"ok":true}', '', 3700000);

INSERT INTO outbox VALUES (21, 0, 'openscan/v1/rig/task/cup-1', 'cup-1', '', NULL, 7200000, 0, '');
INSERT INTO outbox VALUES (22, 1, 'openscan/v1/rig/task/old', 'old', '', NULL, 7200001, 0, '');
INSERT INTO outbox VALUES (23, 2, 'client/reply', '', '{"ok":true}', x'00ff10', 7200002, 513, 'fd61a03a');

INSERT INTO act VALUES (31, 'motor/move', 'client/reply', 'ask-8', x'0102', 514, '4bac27393bdd');
INSERT INTO act VALUES (32, 'light/set', '', '', NULL, 0, '');
