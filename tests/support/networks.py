#!/usr/bin/python3
"""NetworkManager as python3-dbusmock plays it, on a private bus, for the tests.

    networks.py FOLDER [refuse] [starting]

Starts a system bus, writes its address to FOLDER/bus, and plays a machine without a network
that has one Wi-Fi adapter, turned off, and sees "Studio 7" and "Caf\u00e9 offen".  With
"refuse" no network lets anybody in; "starting": it is not done with what it does by itself
after a boot.  On SIGUSR1 a cable is plugged in.  Connections are
written to FOLDER/connections as JSON, one a line, after each change.

It is also the template that it gives to dbusmock.  All that it starts ends with it.
"""
import ctypes
import functools
import json
import os
import signal
import subprocess
import sys
import time

import dbus
import dbusmock
from dbusmock.templates import networkmanager
from dbusmock.templates.networkmanager import *  # noqa: F403  what dbusmock calls here

NM = "org.freedesktop.NetworkManager"
BUS_CONFIG = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>system</type><keep_umask/><listen>unix:path={}/socket</listen>
<policy context="default"><allow send_destination="*" eavesdrop="true"/>
<allow eavesdrop="true"/><allow own="*"/></policy></busconfig>
"""


# ---- the template ----

def refuse(mock, connection, _device, point):
    deactivated = dbus.UInt32(networkmanager.NMActiveConnectionState
                              .NM_ACTIVE_CONNECTION_STATE_DEACTIVATED)
    return dbus.ObjectPath(networkmanager.AddActiveConnection(
        mock, [], connection, point, "0", deactivated))


def load(mock, parameters):
    networkmanager.load(mock, parameters)
    if parameters.get("Refuse", False):
        dbusmock.get_object(networkmanager.MANAGER_OBJ).activate_connection = refuse


# ---- the program ----

def die_with_parent():
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)


def plain(value):
    if isinstance(value, dbus.Array):
        return bytes(value).decode() if value.signature == "y" else [plain(v) for v in value]
    if isinstance(value, dict):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, dbus.Boolean):
        return bool(value)
    return int(value) if isinstance(value, int) else str(value)


def write(folder, name, text):
    with open(os.path.join(folder, name + ".new"), "w", encoding="utf-8") as file:
        file.write(text)
    os.rename(os.path.join(folder, name + ".new"), os.path.join(folder, name))


def start_bus(folder):
    write(folder, "bus.conf", BUS_CONFIG.format(folder))
    bus = subprocess.Popen(["dbus-daemon", "--nofork", "--print-address=1",
                            f"--config-file={folder}/bus.conf"],
                           stdout=subprocess.PIPE, text=True)
    address = bus.stdout.readline().strip()
    os.environ["DBUS_SYSTEM_BUS_ADDRESS"] = address
    return address


def main(folder, refusing, starting):
    subprocess.Popen = functools.partial(subprocess.Popen, preexec_fn=die_with_parent)
    address = start_bus(folder)
    server, manager = dbusmock.DBusTestCase.spawn_server_template(
        os.path.abspath(__file__), {"WirelessEnabled": False, "Refuse": refusing},
        stdout=subprocess.DEVNULL)
    mock = dbus.Interface(manager, dbusmock.MOCK_IFACE)
    flags = networkmanager.NM80211ApSecurityFlags
    wlan = mock.AddWiFiDevice("wlan0", "wlan0", networkmanager.DeviceState.DISCONNECTED)
    mock.AddAccessPoint(wlan, "ap1", "Studio 7", "00:11:22:33:44:55", 2, 2425, 5400, 82,
                        flags.NM_802_11_AP_SEC_KEY_MGMT_PSK)
    mock.AddAccessPoint(wlan, "ap2", "Caf\u00e9 offen", "00:11:22:33:44:56", 2, 2425, 5400, 82,
                        flags.NM_802_11_AP_SEC_NONE)
    bus = dbus.bus.BusConnection(address)
    dbus.Interface(bus.get_object(NM, networkmanager.MANAGER_OBJ), dbusmock.MOCK_IFACE) \
        .UpdateProperties(NM, {"Startup": dbus.Boolean(starting)})
    signal.signal(signal.SIGUSR1, lambda *_: mock.AddEthernetDevice(
        "eth0", "eth0", networkmanager.DeviceState.ACTIVATED))
    write(folder, "bus", address + "\n")
    watch(folder, bus, server)


def watch(folder, bus, server):
    settings = dbus.Interface(bus.get_object(NM, networkmanager.SETTINGS_OBJ),
                              networkmanager.SETTINGS_IFACE)
    last = None
    while server.poll() is None:
        try:
            lines = [json.dumps(plain(dbus.Interface(bus.get_object(NM, path),
                                                     networkmanager.CSETTINGS_IFACE)
                                      .GetSettings()), sort_keys=True, ensure_ascii=False)
                     for path in settings.ListConnections()]
        except dbus.DBusException:
            continue  # one of them went away meanwhile
        if lines != last:
            last = lines
            write(folder, "connections", "".join(line + "\n" for line in lines) + "end\n")
        time.sleep(0.05)


if __name__ == "__main__":
    main(sys.argv[1], "refuse" in sys.argv, "starting" in sys.argv)
