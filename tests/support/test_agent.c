/* openscan-agent-for-tests: the agent with additional task types for tests. */
#include "agent/process.h"
#include "tests/support/test_types.h"

int main(int argc, char **argv)
{
	return process_main(argc, argv, test_types);
}
