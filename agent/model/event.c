#include "agent/model/event.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tasks/community/catalog.h"

struct event *event_new(enum event_kind kind)
{
	struct event *event = calloc(1, sizeof(*event));

	if (event)
		event->kind = kind;
	return event;
}

void event_free(struct event *event)
{
	if (!event)
		return;

	free(event->topic);
	free(event->text);
	free(event->data);
	free(event->response_topic);
	free(event->correlation);
	catalog_release(event->catalog);
	free(event);
}

int event_set_data(struct event *event, const void *data, size_t size)
{
	char *copy = malloc(size + 1);

	if (!copy)
		return -ENOMEM;
	if (size)
		memcpy(copy, data, size);
	copy[size] = '\0';
	free(event->data);
	event->data = copy;
	event->size = size;
	return 0;
}
