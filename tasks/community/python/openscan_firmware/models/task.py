"""The state of a task; replaces OpenScan3's module of this name.

In OpenScan3 these classes are pydantic models.  Here they have the same fields and the
features of pydantic that task files use: keyword arguments, of which unknown ones are ignored,
model_dump() and model_copy().
"""
from __future__ import annotations

import copy
import json
import uuid
from datetime import datetime
from enum import Enum
from typing import Any, Callable, Dict, Optional


class TaskStatus(str, Enum):
    PENDING = "pending"
    RUNNING = "running"
    PAUSED = "paused"
    COMPLETED = "completed"
    CANCELLED = "cancelled"
    ERROR = "error"
    INTERRUPTED = "interrupted"


class Model:
    """A set of fields, with a callback for changes."""

    _watch: Optional[Callable[[], None]] = None

    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, value)
        if self._watch and not name.startswith("_"):
            self._watch()

    def model_dump(self, **_: Any) -> Dict[str, Any]:
        return {name: value.model_dump() if isinstance(value, Model) else value
                for name, value in vars(self).items() if not name.startswith("_")}

    def model_dump_json(self, **_: Any) -> str:
        return json.dumps(self.model_dump(), default=str)

    def model_copy(self, *, update: Optional[Dict[str, Any]] = None,
                   deep: bool = False) -> Model:
        twin = copy.copy(self)
        twin._watch = None
        for name, value in {**vars(twin), **(update or {})}.items():
            setattr(twin, name, copy.deepcopy(value) if deep else value)
        return twin

    dict = model_dump

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self.model_dump() == other.model_dump()

    def __repr__(self) -> str:
        fields = ", ".join(f"{name}={value!r}" for name, value in self.model_dump().items())
        return f"{type(self).__name__}({fields})"


class TaskProgress(Model):
    """The progress of a task.  total 0 means unknown."""

    def __init__(self, *, current: float = 0.0, total: float = 0.0, message: str = "",
                 **_: Any):
        self.current = float(current)
        self.total = float(total)
        self.message = str(message)


class Task(Model):
    """One task.  Changes of progress, or of its fields, are published."""

    def __init__(self, *, name: str, task_type: str, id: Optional[str] = None,
                 is_exclusive: bool = False, is_blocking: bool = False,
                 status: TaskStatus = TaskStatus.PENDING,
                 progress: Optional[TaskProgress] = None,
                 result: Any = None, error: Optional[str] = None,
                 created_at: Optional[datetime] = None,
                 started_at: Optional[datetime] = None,
                 completed_at: Optional[datetime] = None,
                 run_args: tuple = (), run_kwargs: Optional[Dict[str, Any]] = None,
                 **_: Any):
        self.id = id or str(uuid.uuid4())
        self.name = name
        self.task_type = task_type
        self.is_exclusive = is_exclusive
        self.is_blocking = is_blocking
        self.status = status
        self.progress = progress or TaskProgress()
        self.result = result
        self.error = error
        self.created_at = created_at or datetime.now()
        self.started_at = started_at
        self.completed_at = completed_at
        self.run_args = run_args
        self.run_kwargs = run_kwargs or {}

    def watch(self, changed: Callable[[], None]) -> None:
        """Calls changed after every change, on the thread that made it."""
        self.progress._watch = changed
        self._watch = changed

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "progress" and isinstance(value, Model):
            value._watch = self._watch
        super().__setattr__(name, value)
