/* Limits that several layers share. */
#ifndef AGENT_MODEL_LIMITS_H
#define AGENT_MODEL_LIMITS_H

#define RIG_DEVICES_MAX 64		 /* one bit each in a claim */
#define COMMAND_MAX_PAYLOAD (128 * 1024) /* bytes */

#endif
