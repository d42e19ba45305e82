/* Forbids SQL functions of time and chance: the core is a function of its events and the
 * time it is given, so its statements must not use the clock or the random numbers of
 * SQLite. */
#ifndef TESTS_SIMULATION_SQL_H
#define TESTS_SIMULATION_SQL_H

/* From now on a statement of any connection that uses one of them is a violation. */
void sql_watch(void);

#endif
