/* What the text of a setting may look like. */
#ifndef SETTINGS_VALIDATE_H
#define SETTINGS_VALIDATE_H

#include "settings/table.h"

extern const struct setting_rule rule_device_id; /* the contract's <d> */
extern const struct setting_rule rule_name;	 /* of a group or pool */
extern const struct setting_rule rule_filled;	 /* anything but "" */
extern const struct setting_rule rule_folder;	 /* an absolute path */
extern const struct setting_rule rule_topic;	 /* a topic to put others behind */
extern const struct setting_rule rule_mqtt_url;
extern const struct setting_rule rule_http_url_or_none;
extern const struct setting_rule rule_folder_or_none;
extern const struct setting_rule rule_log_level;
extern const struct setting_rule rule_namespace;     /* of task types */
extern const struct setting_rule rule_device_config; /* a name or a path */

/* Is text made of A-Z a-z 0-9 _ - only, 1 to 64 of them? */
bool rule_plain(const char *text);

/* Is this device config a path rather than the name of a shipped file? */
bool rule_path(const char *text);

#endif
