/* A broker from before MQTT 5: a relay that turns a CONNECT of version 5 away, and passes
 * everything of 3.1.1 on to a real broker. */
#ifndef TESTS_HARNESS_OLD_BROKER_H
#define TESTS_HARNESS_OLD_BROKER_H

/* How it turns version 5 away. */
enum old_manner {
	OLD_REFUSES,  /* with a CONNACK of version 5: 0x84 */
	OLD_ANSWERS,  /* with a CONNACK of 3.1.1: return code 1 */
	OLD_HANGS_UP, /* without a word */
	OLD_NO_MORE,  /* not at all: it has learned version 5 */
};

struct old_broker;

/* Listens from now on, on a thread of its own; 0 or a negative errno. */
int old_broker_open(struct old_broker **out, int broker_port, enum old_manner manner);
void old_broker_close(struct old_broker *old); /* NULL is fine */

int old_broker_port(const struct old_broker *old);

/* For CONNECTs that come from now on. */
void old_broker_manner(struct old_broker *old, enum old_manner manner);

/* How many CONNECTs of version 5 came so far. */
unsigned old_broker_asked(const struct old_broker *old);

/* Cuts all connections. */
void old_broker_cut(struct old_broker *old);

#endif
