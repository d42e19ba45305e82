/* What SQL may not ask for: the core is a function of its events and the time it is told,
 * so its statements use no clock and no chance of SQLite's own. */
#ifndef TESTS_SIMULATION_SQL_H
#define TESTS_SIMULATION_SQL_H

/* Says broken() when a statement of any connection opened from now on does. */
void sql_watch(void);

#endif
