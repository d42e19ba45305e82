/* A module without the table that bears its name. */

extern const int module_another;
const int module_another = 1;
