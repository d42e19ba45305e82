# A broker and an agent with the simulated rig on this machine, for scripts that source this
# file: deploy/demo and tests/image/run-reconstruct.
#
# The script sets `top` (the source), `build` (where the agent is built), `temp` (a temporary
# folder), `projects` and `speed`, and defines a function die SENTENCE.  The process ids are
# in `broker` and `agent` and the broker's port is in `port`; the script stops both itself.
# shellcheck shell=bash disable=SC2034,SC2154

export LC_ALL=C PATH=$PATH:/usr/sbin # where Debian puts mosquitto

device=rig1
root=openscan/v1/$device
broker=
agent=
port=

# stop PID SECONDS: terminates the process, and kills it if it does not end in time.
stop()
{
	local deadline=$((SECONDS + $2))

	kill "$1" 2>/dev/null || return 0
	while kill -0 "$1" 2>/dev/null; do
		if ((SECONDS >= deadline)); then
			kill -KILL "$1" 2>/dev/null || true
			break
		fi
		sleep 0.05
	done
	wait "$1" 2>/dev/null || true
}

compile()
{
	local log=$temp/build.log

	echo "building the agent"
	if ! { cmake -S "$top" -B "$build" -DCMAKE_BUILD_TYPE=Release &&
		cmake --build "$build" --parallel "$(nproc)" --target openscan-agent; } >"$log" 2>&1; then
		tail -n 40 "$log" >&2
		die "the build failed"
	fi
}

# True if our broker listens on $port; false if another program has the port.
start_broker_on_port()
{
	local log=$temp/broker.log deadline=$((SECONDS + 10))

	cat >"$temp/mosquitto.conf" <<-END
		listener $port 127.0.0.1
		allow_anonymous true
		set_tcp_nodelay true
		max_queued_messages 0
		persistence true
		persistence_location $temp/broker/
		user $(id -un)
	END
	setsid mosquitto -c "$temp/mosquitto.conf" >"$log" 2>&1 </dev/null &
	broker=$!
	until grep -qs ' running$' "$log"; do
		if ! kill -0 "$broker" 2>/dev/null; then
			broker=
			return 1
		fi
		((SECONDS < deadline)) || die "the broker does not start: $(tail -n 1 "$log")"
		sleep 0.02
	done
}

start_broker()
{
	local try

	mkdir -p "$temp/broker"
	for ((try = 0; try < 20; try++)); do
		port=$((20000 + RANDOM % 12000))
		! start_broker_on_port || return 0
	done
	die "no broker could be started: $(tail -n 1 "$temp/broker.log")"
}

# start_agent DEVICE_CONFIG ARGUMENT...
start_agent()
{
	setsid env \
		OPENSCAN_MQTT_URL="mqtt://127.0.0.1:$port" \
		OPENSCAN_DEVICE_ID=$device \
		OPENSCAN_DEVICE_CONFIG="$1" \
		OPENSCAN_SIM_SPEED="$speed" \
		OPENSCAN_STATE_DIR="$temp/state" \
		OPENSCAN_PROJECT_DIR="$projects" \
		"$build/openscan-agent" "${@:2}" >>"$temp/agent.log" 2>&1 </dev/null &
	agent=$!
}

agent_failed()
{
	tail -n 20 "$temp/agent.log" >&2
	die "$1"
}

# field NAME JSON: puts the value of the first "NAME" of a JSON text into $value.
field()
{
	local form='"'$1'": *("(([^"\]|\\.)*)"|[-+.0-9a-zA-Z]+)'

	value=
	[[ $2 =~ $form ]] || return 0
	value=${BASH_REMATCH[1]}
	[[ $value != \"* ]] || value=${BASH_REMATCH[2]}
	[[ $value != null ]] || value=
	value=${value//\\\"/\"}
}
