"""openscan_rig for async code: the same functions as coroutines."""
from __future__ import annotations

import asyncio
from typing import Any, Optional, Union

from openscan_rig import RigError, State, on_or_off, request

__all__ = ["RigError", "move", "home", "light", "capture", "trigger"]


async def move(degrees: float, *, name: Optional[str] = None, relative: bool = False) -> State:
    return await _ask("move", name=name, degrees=degrees, relative=relative)


async def home(name: Optional[str] = None) -> State:
    return await _ask("home", name=name)


async def light(state: Union[bool, str, None] = None, *, brightness: Optional[float] = None,
                name: Optional[str] = None) -> State:
    return await _ask("light", name=name, state=on_or_off(state), brightness=brightness)


async def capture(file: str, *, name: Optional[str] = None) -> State:
    return await _ask("capture", name=name, file=file)


async def trigger(name: Optional[str] = None) -> State:
    return await _ask("trigger", name=name)


async def _ask(verb: str, **members: Any) -> State:
    return await asyncio.wrap_future(request(verb, **members))
