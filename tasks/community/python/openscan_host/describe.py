"""python_host.py describe FILE: prints the task types in a file."""
from __future__ import annotations

import inspect
import os
import sys
from typing import Any, Dict, List, Type

from openscan_firmware.controllers.services.tasks.base_task import BaseTask
from openscan_host.jsonable import to_json
from openscan_host.signature import schema_of_arguments
from openscan_host.taskfile import BadFile, classes_of, load
from openscan_host.wire import exit_now

TITLE_MAX = 80


def main(path: str) -> int:
    answer = os.dup(1)
    os.dup2(2, 1)  # output of the file while it is imported is not part of the answer
    try:
        text = to_json(descriptions(path))
    except BadFile as error:
        print(error, file=sys.stderr)
        return 1
    with os.fdopen(answer, "w", encoding="utf-8") as stream:
        print(text, file=stream)
    sys.stdout.flush()
    exit_now(0)


def descriptions(path: str) -> List[Dict[str, Any]]:
    return [describe(one) for one in classes_of(load(path))]


def describe(task_class: Type[BaseTask]) -> Dict[str, Any]:
    """A class that cannot be used becomes a "problem", without affecting the others."""
    name = getattr(task_class, "task_name", None)
    if not isinstance(name, str):
        return {"problem": f"the class {task_class.__name__} has no task_name"}
    if inspect.isgeneratorfunction(task_class.run):
        return {"name": name, "problem": f"the class {task_class.__name__}: run() is a plain "
                                         "generator; write async def"}
    try:
        args = schema_of_arguments(task_class.run)
    except (TypeError, ValueError) as error:
        return {"name": name, "problem": f"the class {task_class.__name__}: {error}"}
    return {
        "name": name,
        "title": _title(task_class) or name,
        "category": str(getattr(task_class, "task_category", "community")),
        "is_exclusive": bool(task_class.is_exclusive),
        "is_blocking": bool(task_class.is_blocking),
        "resumable": bool(task_class.resumable),
        "uses": _uses(task_class),
        "args": args,
    }


def _uses(task_class: Type[BaseTask]) -> List[str]:
    uses = task_class.uses
    return [uses] if isinstance(uses, str) else [str(device) for device in uses]


def _title(task_class: Type[BaseTask]) -> str:
    """The first line of the class's own docstring, not an inherited one."""
    lines = (vars(task_class).get("__doc__") or "").strip().splitlines()
    return lines[0].strip().rstrip(".")[:TITLE_MAX] if lines else ""
