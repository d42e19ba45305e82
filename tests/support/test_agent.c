/* openscan-agent-for-tests: the agent, with task types that only tests want. */
#include "agent/agent.h"
#include "tests/support/test_types.h"

int main(int argc, char **argv)
{
	return agent_main(argc, argv, test_types);
}
