/* The only way into the loop: any thread posts events, the loop takes them. */
#ifndef AGENT_WORKERS_MAILBOX_H
#define AGENT_WORKERS_MAILBOX_H

#include "agent/base/err.h"
#include "agent/model/event.h"

struct mailbox;

int mailbox_open(struct mailbox **out, struct err *err);
void mailbox_close(struct mailbox *mailbox); /* frees its events; NULL is fine */

/* Any thread; takes the event over and never blocks. */
void mailbox_post(struct mailbox *mailbox, struct event *event);

/* Up to max events in the order of their arrival, as a list; NULL when there is none. */
struct event *mailbox_take(struct mailbox *mailbox, int max);

/* A descriptor that is readable while there are events. */
int mailbox_fd(const struct mailbox *mailbox);

#endif
