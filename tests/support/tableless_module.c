/* A module without the table that has its name. */

extern const int module_another;
const int module_another = 1;
