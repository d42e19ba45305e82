"""Controls the rig, for task classes that list the devices they use:

    class TurnTask(BaseTask):
        task_name = "turn_task"
        is_blocking = True
        uses = ["motor/turntable", "camera"]

        def run(self, degrees: float = 90):
            openscan_rig.move(degrees, name="turntable", relative=True)
            return openscan_rig.capture("here.jpg")

Every function returns when the operation is complete, with the device's new state.  It raises
RigError, with a code of the contract and a sentence, when the operation was refused or failed.
name may be omitted if the rig has only one device of the kind.  openscan_rig.aio has the same
functions for async code.
"""
from __future__ import annotations

from concurrent.futures import Future
from typing import Any, Dict, Optional, Union

from openscan_host.wire import Refused as RigError, Wire

__all__ = ["RigError", "move", "home", "light", "capture", "trigger"]

State = Dict[str, Any]


def move(degrees: float, *, name: Optional[str] = None, relative: bool = False) -> State:
    """Moves a motor to degrees, or by degrees if relative."""
    return request("move", name=name, degrees=degrees, relative=relative).result()


def home(name: Optional[str] = None) -> State:
    """Homes a motor; without a name, all motors that have an endstop."""
    return request("home", name=name).result()


def light(state: Union[bool, str, None] = None, *, brightness: Optional[float] = None,
          name: Optional[str] = None) -> State:
    """Switches a light (without a name: all) on or off, or sets its brightness, 0 to 100."""
    return request("light", name=name, state=on_or_off(state), brightness=brightness).result()


def capture(file: str, *, name: Optional[str] = None) -> State:
    """Takes a photo and saves it in the working folder under this name."""
    return request("capture", name=name, file=file).result()


def trigger(name: Optional[str] = None) -> State:
    """Fires a trigger once."""
    return request("trigger", name=name).result()


def request(verb: str, **members: Any) -> Future:
    """Sends any verb of the protocol; members that are None are omitted."""
    wire = Wire.current
    if wire is None:
        raise RigError("not_supported", "the rig is there only while a task runs")
    return wire.ask("rig", verb=verb,
                    **{name: value for name, value in members.items() if value is not None})


def on_or_off(state: Union[bool, str, None]) -> Optional[str]:
    if isinstance(state, bool):
        return "ON" if state else "OFF"
    return state
