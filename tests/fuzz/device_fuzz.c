/* Fuzzes the checking of device configs.  Input: the file. */
#include "tests/fuzz/fuzz.h"

#include <stdio.h>
#include <stdlib.h>

#include "agent/base/json.h"
#include "hal/rig.h"
#include "settings/device.h"

static void check_rig(struct rig *rig)
{
	for (int kind = 0; kind < DEVICE_KINDS; kind++)
		for (size_t i = 0; i < rig_count(rig, (enum device_kind)kind); i++) {
			cJSON *state = rig_state(rig, (enum device_kind)kind, i);

			must(rig_name(rig, (enum device_kind)kind, i) != NULL,
			     "a device has a name");
			must(state != NULL, "a device has a state");
			cJSON_Delete(state);
		}
	must(rig_scan_radius(rig) > 0, "a camera stands away from the object");
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static const char *const no_folders[] = {NULL};
	const struct rig_options options = {.state_dir = fuzz_folder(),
					    .sim_speed = 1000};
	const char *file = fuzz_file("device.json", bytes, size);
	struct err err = {.number = 0};
	struct rig *rig;
	cJSON *config;

	if (device_read(&config, file, no_folders, &err) < 0) {
		must_be_told(&err, false);
		return 0;
	}
	/* Does not touch the rig of this machine. */
	cJSON_DeleteItemFromObjectCaseSensitive(config, "backend");
	cJSON_AddStringToObject(config, "backend", "simulated");
	if (rig_open(&rig, config, &options, &err) == 0) {
		check_rig(rig);
		rig_close(rig);
	} else {
		must_be_told(&err, false);
	}
	cJSON_Delete(config);
	return 0;
}
