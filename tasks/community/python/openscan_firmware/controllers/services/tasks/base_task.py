"""What task classes derive from; stands in for OpenScan3's module of this name."""
from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from typing import Any, Callable, Sequence

from openscan_firmware.models.task import Task, TaskProgress


class BaseTask(ABC):
    """One run of a task.

    run() is a coroutine that returns the result, an async generator that yields TaskProgress
    and sets self._task_model.result, or, with is_blocking, a plain function.
    """

    is_exclusive: bool = False
    is_blocking: bool = False

    # Not in OpenScan3, which passes over them: see the agent's README of community tasks.
    resumable: bool = False
    uses: Sequence[str] = ()

    _heard: bool = False  # run() knows that it has been cancelled
    _at_gate: Callable[[], None] = staticmethod(lambda: None)  # called when run() rests

    def __init__(self, task_model: Task):
        self._task_model = task_model
        self._stop_event = asyncio.Event()
        self._pause_event = asyncio.Event()  # set: not paused
        self._pause_event.set()

    @property
    def id(self) -> str:
        return self._task_model.id

    @property
    def name(self) -> str:
        return self._task_model.name

    @abstractmethod
    async def run(self, *args: Any, **kwargs: Any) -> Any:
        """The work."""

    def pause(self) -> None:
        """Asks run() to rest when it comes to wait_for_pause()."""
        self._pause_event.clear()

    def resume(self) -> None:
        self._pause_event.set()

    def is_paused(self) -> bool:
        return not self._pause_event.is_set()

    async def wait_for_pause(self) -> None:
        """The gate between two steps: waits as long as the task is paused."""
        while self.is_paused():
            self._at_gate()
            await self._pause_event.wait()

    def cancel(self) -> None:
        """Asks run() to end; opens the gate, so that a paused one sees it."""
        self._stop_event.set()
        self._pause_event.set()

    def is_cancelled(self) -> bool:
        self._heard = self._heard or self._stop_event.is_set()
        return self._stop_event.is_set()

    def _update_progress(self, current: float, total: float, message: str = "") -> None:
        self._task_model.progress = TaskProgress(current=current, total=total,
                                                 message=message)
