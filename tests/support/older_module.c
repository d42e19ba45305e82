/* A module that an update of the agent left behind. */

extern const char openscan_module_version[];
const char openscan_module_version[] = "0.0.1";

extern const int module_older;
const int module_older = 1;
