/* Watches the statements of the agent with an SQLite authorizer. */
#include "tests/simulation/sql.h"

#include <stdint.h>
#include <stdlib.h>
#include <strings.h>

#include <sqlite3.h>

#include "tests/simulation/trace.h"

static const char *const forbidden[] = {
	"random",	"randomblob",	"current_timestamp",
	"current_time", "current_date", "datetime",
	"date",		"time",		"julianday",
	"strftime",	"unixepoch",	NULL};

static int authorize(void *context, int action, const char *what, const char *name,
		     const char *database, const char *trigger)
{
	(void)context;
	(void)what;
	(void)database;
	(void)trigger;
	if (action != SQLITE_FUNCTION || !name)
		return SQLITE_OK;
	for (size_t i = 0; forbidden[i]; i++) {
		if (strcasecmp(name, forbidden[i]) != 0)
			continue;
		violation("a statement of the agent's uses %s()", name);
		return SQLITE_DENY;
	}
	return SQLITE_OK;
}

/* SQLite calls this for each connection that is opened. */
static int watch(sqlite3 *db, char **sentence, const struct sqlite3_api_routines *api)
{
	(void)sentence;
	(void)api;
	return sqlite3_set_authorizer(db, authorize, NULL);
}

void sql_watch(void)
{
	/* Every entry point is cast to this type. */
	if (sqlite3_auto_extension((void (*)(void))(uintptr_t)watch) != SQLITE_OK)
		abort();
}
