/* Fuzzes the core in its simulation.  Input: the random numbers of a history, bodies of
 * commands among them. */
#include "tests/fuzz/fuzz.h"

#include "agent/base/log.h"
#include "tests/simulation/trace.h"
#include "tests/simulation/world.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static bool prepared;
	struct outcome_of_history history;

	if (!prepared) {
		log_set_level(LOG_LEVEL_ERROR);
		world_prepare();
	}
	prepared = true;
	history = world_play_bytes(bytes, size);
	must(!history.violation, history.violation);
	return 0;
}
