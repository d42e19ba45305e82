/* Describes or runs the task types of a shared object. */
#ifndef TASKS_COMMUNITY_HOST_SHARED_OBJECT_H
#define TASKS_COMMUNITY_HOST_SHARED_OBJECT_H

/* Loads file and carries out verb, "describe" or "run".  Returns the exit code. */
int shared_object_main(const char *verb, const char *file);

#endif
