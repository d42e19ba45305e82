/* Asks a plugin for the task types in its file: runs the file's describe command. */
#ifndef TASKS_COMMUNITY_DESCRIBE_H
#define TASKS_COMMUNITY_DESCRIBE_H

#include "tasks/community/plugin.h"

/* How long describe may take.  A Python file gets longer, since starting the interpreter
 * is not the file's fault. */
#define DESCRIBE_MS 2000
#define DESCRIBE_PYTHON_MS 5000

/* Runs describe and sets the plugin's types and problems.  Blocks, at most for the time
 * above.  Failures become the plugin's problems. */
void describe_plugin(struct plugin *plugin);

/* For a plugin that did not answer: takes the types it described last time, if they are
 * cached for this very file, and adds that to its problems. */
void describe_from_cache(struct plugin *plugin);

#endif
