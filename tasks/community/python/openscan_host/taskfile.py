"""Loads a Python file and finds its task classes."""
from __future__ import annotations

import importlib.util
import inspect
import os
import sys
import traceback
from types import ModuleType
from typing import List, Type

from openscan_firmware.controllers.services.tasks.base_task import BaseTask

OPT_OUT = "__openscan_autodiscover__"  # OpenScan3's flag; False opts out


class BadFile(Exception):
    """A file that cannot be used; the text is a sentence that says why."""


def load(path: str) -> ModuleType:
    """Imports the file, which may import modules beside it.  These do not hide Python's own."""
    stem = os.path.splitext(os.path.basename(path))[0]
    spec = importlib.util.spec_from_file_location(f"openscan_community.{stem}", path)
    if spec is None or spec.loader is None:
        raise BadFile("is no Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    sys.path.append(os.path.dirname(path))
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        raise BadFile(sentence_of(error, path)) from error
    return module


def classes_of(module: ModuleType) -> List[Type[BaseTask]]:
    """The task classes defined in the module itself, in their order; none if it opted out."""
    if getattr(module, OPT_OUT, True) is False:
        return []
    return [member for member in vars(module).values()
            if inspect.isclass(member) and issubclass(member, BaseTask)
            and member.__module__ == module.__name__ and not inspect.isabstract(member)]


def sentence_of(error: BaseException, path: str) -> str:
    """Describes an error and its line in the file."""
    kind = type(error).__name__
    if isinstance(error, SyntaxError):
        return f"line {error.lineno}: {kind}: {error.msg}"
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__)
             if frame.filename == path]
    where = f"line {lines[-1]}: " if lines else ""
    return f"{where}{kind}: {error}".rstrip(": ")
