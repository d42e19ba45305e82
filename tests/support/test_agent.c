/* openscan-agent-for-tests: the agent, with task types that only tests want. */
#include "agent/process.h"
#include "tests/support/test_types.h"

int main(int argc, char **argv)
{
	return process_main(argc, argv, test_types);
}
