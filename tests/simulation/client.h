/* Clients that send random commands to the agent, some of them twice or again much
 * later. */
#ifndef TESTS_SIMULATION_CLIENT_H
#define TESTS_SIMULATION_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/support/prng.h"

#define ROOT "openscan/v1"
#define DEVICE "rig1"
#define OURS ROOT "/" DEVICE "/"
#define GROUP "lab"
#define REPLY_TOPIC ROOT "/_reply/sim" /* with the command's number */

#define SIM_ID_SIZE 72
#define SIM_AFTER_MAX 3
#define SIM_DONE_MAX 8

struct sim_command {
	int number;
	char verb[24];
	char topic[128];
	char *body;
	char id[SIM_ID_SIZE], request[24];
	bool retained;	  /* sent with the retain flag */
	bool contested;	  /* another command has its id or request, but different contents
			   */
	bool random_body; /* its body is random bytes */
	bool has_reply_topic; /* its replies can be recognized */
	bool correlated;

	/* of a create */
	int type, priority;
	char after[SIM_AFTER_MAX][SIM_ID_SIZE];
	int after_count;
	bool plain; /* nothing about it changes its position in the queue */

	/* results, maintained by the oracle */
	int sent;		    /* how often it was queued for the agent */
	int handled, first_handled; /* how often, and in which turn for the first time */
	bool replied;
	uint64_t done[SIM_DONE_MAX]; /* hashes of the replies that reported success */
	int done_count;
	char done_id[SIM_ID_SIZE];
};

struct client {
	struct sim_command **commands;
	int count, room;
	char (*ids)[SIM_ID_SIZE]; /* ids of tasks that may exist, oldest first */
	int id_count, id_room;
	int weight[8];	  /* how likely each sort of command is in this history */
	bool random_body; /* there were random bodies: any may use the id or request of
			     another command */
};

void client_init(struct client *client, struct prng *prng);
void client_clear(struct client *client);

/* A new random command, or an older one that is sent again. */
struct sim_command *client_random_command(struct client *client, struct prng *prng);

/* One with random bytes as its body. */
struct sim_command *client_random_bytes(struct client *client, struct prng *prng);

/* One with this verb and body ("" for none). */
struct sim_command *client_command(struct client *client, const char *verb,
				   const char *body);

/* The command that a reply on this topic answers, or NULL when that is unknown. */
struct sim_command *client_command_of_reply(const struct client *client,
					    const char *topic, const void *correlation,
					    size_t size);

/* Notes the id of a task that was published. */
void client_task_seen(struct client *client, const char *id);

#endif
