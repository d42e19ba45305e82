"""python_host.py run FILE: runs one task."""
from __future__ import annotations

import _thread
import asyncio
import inspect
import logging
import os
import signal
import sys
import threading
import time
import traceback
from datetime import datetime
from types import FrameType
from typing import Any, AsyncGenerator, Callable, Dict, List, Optional, Tuple, Type

from openscan_firmware.controllers.services.tasks.base_task import BaseTask
from openscan_firmware.models.task import Task, TaskStatus
from openscan_host import progress, wire
from openscan_host.log import WireLog
from openscan_host.progress import Progress, from_checkpoint
from openscan_host.taskfile import BadFile, classes_of, load
from openscan_host.wire import Refused, Wire, reserve_streams, exit_now

# These take locks, which an exception from a signal handler could exit_now locked.
LOCKING_FILES = (progress.__file__, wire.__file__)
SIGTERM_RETRY_S = 0.01


def main(path: str) -> int:
    agent = Wire.current = reserve_streams()
    start = agent.read()
    if start is None:
        return 1
    logging.basicConfig(level=logging.INFO, handlers=[WireLog(agent)], format="%(message)s")
    try:
        Run(agent, _class_named(path, start["task"]), start).perform()
        code = 0
    except (Exception, asyncio.CancelledError, SystemExit, KeyboardInterrupt) as error:
        code = _failed(agent, error)
    logging.shutdown()
    sys.stdout.flush()
    exit_now(code)


def _class_named(path: str, name: str) -> Type[BaseTask]:
    for one in classes_of(load(path)):
        if getattr(one, "task_name", None) == name:
            return one
    raise BadFile(f"there is no {name} in the file any more")


class Run:
    """The run of a task.

    Task code runs on the main thread: async code in an event loop, a blocking run() directly.
    Another thread reads the agent's lines.
    """

    def __init__(self, agent: Wire, task_class: Type[BaseTask], start: Dict[str, Any]):
        self._wire = agent
        self._cancel_requested = False
        self._loop = asyncio.new_event_loop()
        self._work: Optional[asyncio.Task] = None  # None for a blocking run()
        asyncio.set_event_loop(self._loop)
        self._args, self._kwargs = _arguments_for(task_class.run, start.get("args") or {})
        self._model = _model_of(task_class, start, self._args, self._kwargs)
        self._task = task_class(self._model)
        self._task._paused_callback = self._report_paused
        self._progress = Progress(agent, self._model, saving=bool(task_class.resumable))

    def perform(self) -> None:
        """Runs the task and sends its result; after a cancel there may be none."""
        run = type(self._task).run
        if not self._model.is_blocking or _is_async(run):
            self._work = self._loop.create_task(self._drive())
        signal.signal(signal.SIGTERM, self._terminate)
        threading.Thread(target=self._listen, daemon=True).start()
        # From here on the run has effects that must not happen twice.
        self._wire.ask("begin").result()
        try:
            value = self._value()
        except asyncio.CancelledError:
            if not self._task._cancel_noticed:
                raise
        finally:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)  # the run is ending
            self._progress.flush()
        # A run that ended before it noticed the cancel keeps its result.
        if not self._task._cancel_noticed:
            self._wire.send("result", value=value)

    def _value(self) -> Any:
        if self._work:
            return self._loop.run_until_complete(self._work)
        return self._result(self._task.run(*self._args, **self._kwargs))

    # ---- task code in the loop ----

    async def _drive(self) -> Any:
        outcome = self._task.run(*self._args, **self._kwargs)
        if inspect.isasyncgen(outcome):
            await self._step_through(outcome)
            return self._model.result
        return self._result(await outcome if inspect.isawaitable(outcome) else outcome)

    async def _step_through(self, steps: AsyncGenerator) -> None:
        try:
            async for progress in steps:
                self._model.progress = progress
                await self._task.wait_for_pause()
                if self._task.is_cancelled():
                    return
                await asyncio.sleep(0)  # so that a generator without await can be cancelled
        finally:
            await steps.aclose()

    def _result(self, value: Any) -> Any:
        return self._model.result if value is None else value

    def _report_paused(self) -> None:
        self._model.status = TaskStatus.PAUSED
        self._progress.flush()
        self._wire.send("paused")

    # ---- requests of the agent ----

    def _listen(self) -> None:
        handlers = {"pause": self._task.pause, "resume": self._resume, "cancel": self._cancel}
        for message in self._wire.messages():
            handler = handlers.get(message.get("type", ""))
            if message.get("type") == "cancel":
                self._cancel_requested = True
            if handler:
                self._deliver(handler)
        exit_now(1)  # the agent is gone

    def _deliver(self, handler: Callable[[], None]) -> None:
        if self._work:
            self._loop.call_soon_threadsafe(handler)
        else:
            handler()

    def _resume(self) -> None:
        self._model.status = TaskStatus.RUNNING
        self._task.resume()

    def _cancel(self) -> None:
        self._task.cancel()
        if self._work:
            self._task._cancel_noticed = True
            self._work.cancel()

    def _terminate(self, _: int, frame: Optional[FrameType]) -> None:
        """SIGTERM follows a second after a cancel.  Code that has not checked for the cancel is
        ended where it is by CancelledError, so its finally blocks run."""
        if not self._cancel_requested or self._task._cancel_noticed:
            return
        if _may_hold_lock(frame):
            _thread.start_new_thread(_sigterm_again, ())
            return
        self._task._cancel_noticed = True
        raise asyncio.CancelledError


def _may_hold_lock(frame: Optional[FrameType]) -> bool:
    while frame and frame.f_code.co_filename not in LOCKING_FILES:
        frame = frame.f_back
    return frame is not None


def _sigterm_again() -> None:
    time.sleep(SIGTERM_RETRY_S)
    os.kill(os.getpid(), signal.SIGTERM)


def _is_async(run: Callable[..., Any]) -> bool:
    return inspect.iscoroutinefunction(run) or inspect.isasyncgenfunction(run)


def _arguments_for(run: Callable[..., Any],
                   args: Dict[str, Any]) -> Tuple[List[Any], Dict[str, Any]]:
    """By name, except for positional-only parameters."""
    positional = [p.name for p in inspect.signature(run).parameters.values()
                if p.kind is p.POSITIONAL_ONLY]
    return ([args[name] for name in positional if name in args],
            {name: value for name, value in args.items() if name not in positional})


def _model_of(task_class: Type[BaseTask], start: Dict[str, Any], args: List[Any],
              kwargs: Dict[str, Any]) -> Task:
    return Task(id=start.get("id"), name=start["task"], task_type=start["task"],
                is_exclusive=task_class.is_exclusive, is_blocking=task_class.is_blocking,
                status=TaskStatus.RUNNING, started_at=datetime.now(),
                progress=from_checkpoint(start.get("checkpoint")),
                run_args=tuple(args), run_kwargs=kwargs)


def _failed(agent: Wire, error: BaseException) -> int:
    """Sends the error; the traceback goes to the task's log."""
    code = error.code if isinstance(error, Refused) else "task_failed"
    if not isinstance(error, BadFile):
        traceback.print_exception(type(error), error, error.__traceback__)
    agent.send("error", code=code, message=_sentence(error))
    return 1


def _sentence(error: BaseException) -> str:
    if isinstance(error, MemoryError):
        return "there was not enough memory"
    if isinstance(error, SystemExit):
        return f"the task ended its program (exit code {error.code})"
    if isinstance(error, asyncio.CancelledError):
        return "the task was cancelled"
    return str(error) or type(error).__name__
