/* A module of an older agent, as an update may leave it behind. */

extern const char openscan_module_version[];
const char openscan_module_version[] = "0.0.1";

extern const int module_older;
const int module_older = 1;
