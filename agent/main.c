/* The program openscan-agent. */
#include <stddef.h>

#include "agent/process.h"

int main(int argc, char **argv)
{
	return process_main(argc, argv, NULL);
}
