/* Fills the agent's database by SQL. */
#include "tests/bench/fill.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include <sqlite3.h>

/* Copies a row that the agent wrote, with a new number, so that only the changed columns
 * have to be known here. */
static const char sql[] =
	"BEGIN;"
	"CREATE TEMP TABLE a_task AS SELECT * FROM task WHERE status = 3 LIMIT 1;"
	"CREATE TEMP TABLE an_event AS SELECT * FROM event"
	"  WHERE body LIKE '%%task.completed%%' LIMIT 1;"
	"CREATE TEMP TABLE a_memory AS SELECT * FROM memory LIMIT 1;"
	"CREATE TEMP TABLE n AS WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL"
	"  SELECT i + 1 FROM c WHERE i < 50000) SELECT i FROM c;"
	"DELETE FROM task; DELETE FROM event; DELETE FROM memory; DELETE FROM outbox;"
	"CREATE TEMP TRIGGER tasks AFTER UPDATE OF number ON a_task BEGIN"
	"  INSERT INTO task SELECT * FROM a_task; END;"
	"CREATE TEMP TRIGGER events AFTER UPDATE OF seq ON an_event BEGIN"
	"  INSERT INTO event SELECT * FROM an_event; END;"
	"CREATE TEMP TRIGGER memories AFTER UPDATE OF number ON a_memory BEGIN"
	"  INSERT INTO memory SELECT * FROM a_memory; END;"
	"CREATE TEMP TABLE step (i INTEGER);"
	"CREATE TEMP TRIGGER ended AFTER INSERT ON step WHEN NEW.i <= %d BEGIN"
	"  UPDATE a_task SET id = 'ended-' || NEW.i, number = NEW.i,"
	"    arrival = NEW.i; END;"
	"CREATE TEMP TRIGGER live AFTER INSERT ON step WHEN NEW.i > %d AND NEW.i <= %d "
	"BEGIN"
	"  UPDATE a_task SET id = 'live-' || NEW.i, status = 0, state = 0,"
	"    result = NULL, started_at = 0, completed_at = 0, ended_age = 0,"
	"    progress = 0, number = NEW.i, arrival = NEW.i; END;"
	"CREATE TEMP TRIGGER event_of AFTER INSERT ON step WHEN NEW.i <= %d BEGIN"
	"  UPDATE an_event SET seq = NEW.i; END;"
	"CREATE TEMP TRIGGER memory_of AFTER INSERT ON step WHEN NEW.i <= %d BEGIN"
	"  UPDATE a_memory SET key = 'rrequest-' || NEW.i, number = NEW.i; END;"
	"INSERT INTO step SELECT i FROM n ORDER BY i;"
	"INSERT OR REPLACE INTO meta VALUES ('next_task', 100001), ('next_arrival', "
	"100001),"
	"  ('last_seq', %d), ('event_sent', %d), ('paused', %d);"
	"COMMIT; PRAGMA wal_checkpoint(TRUNCATE);";

int fill_database(const char *state_dir, const struct fill *fill)
{
	char path[PATH_MAX + 16], *error = NULL, *text = NULL;
	sqlite3 *db = NULL;
	int ret;

	if (asprintf(&text, sql, fill->ended, fill->ended, fill->ended + fill->live,
		     fill->events, fill->requests, fill->events, fill->events,
		     fill->live > 0) < 0)
		return -1;
	snprintf(path, sizeof(path), "%s/agent.sqlite", state_dir);
	ret = sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL);
	if (ret == SQLITE_OK)
		ret = sqlite3_exec(db, text, NULL, NULL, &error);
	if (ret != SQLITE_OK)
		fprintf(stderr, "%s cannot be filled: %s\n", path,
			error ? error : sqlite3_errmsg(db));
	sqlite3_free(error);
	sqlite3_close(db);
	free(text);
	return ret == SQLITE_OK ? 0 : -1;
}
