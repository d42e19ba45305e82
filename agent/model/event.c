/* The memory of an event. */
#include "agent/model/event.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tasks/community/catalog.h"

struct event *event_new(enum event_kind kind)
{
	struct event *event = calloc(1, sizeof(*event));

	if (!event)
		abort();
	event->kind = kind;
	return event;
}

struct event *event_image(const char *camera, const void *jpeg, size_t size)
{
	struct event *event = event_new(EVENT_IMAGE);

	if (asprintf(&event->topic, "camera/%s/image", camera) < 0 ||
	    event_set_data(event, jpeg, size) < 0)
		abort();
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
