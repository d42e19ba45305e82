"""Runs tasks/community/python_host.py, with the test in place of the agent."""

import json
import os
import queue
import signal
import subprocess
import sys
import tempfile
import textwrap
import threading
import time
import unittest

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
HOST = os.path.join(TOP, "tasks", "community", "python_host.py")
PATIENCE_S = 15 * float(os.environ.get("TEST_PATIENCE", "1"))
IMPORTS = """\
import asyncio, logging, os, subprocess, sys, threading, time
from openscan_firmware.controllers.services.tasks.base_task import BaseTask
from openscan_firmware.models.task import Task, TaskProgress, TaskStatus
"""
DOCUMENTED = '''\
from openscan_firmware.controllers.services.tasks.base_task import BaseTask
from openscan_firmware.models.task import TaskProgress

class MyCustomTask(BaseTask):
    task_name = "my_custom_task"       # must be snake_case and end with _task
    task_category = "example"          # optional but recommended: core | example | community | test
    is_exclusive = False                # exclusive tasks block all others
    is_blocking = False                 # blocking tasks run in thread pool

    async def run(self, *args, **kwargs):
        # report progress (optional but encouraged)
        self._task_model.progress = TaskProgress(current=0, total=10, message="Starting...")
        # do work...
        return "Done!"
'''


class Agent:
    """One run of a file; records its lines and answers `begin`."""

    def __init__(self, path, name="a_task", args=None, checkpoint=None):
        self.lines = []
        self._new = queue.Queue()
        self._process = subprocess.Popen(
            [sys.executable, HOST, "run", path], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=os.path.dirname(path))
        threading.Thread(target=self._read_lines, daemon=True).start()
        self.send("start", task=name, id="t1", attempt=1, args=args or {},
                  checkpoint=checkpoint)

    def send(self, kind, **members):
        line = json.dumps({"type": kind, **members}) + "\n"
        self._process.stdin.write(line.encode())
        self._process.stdin.flush()

    def wait(self, kind, **members):
        """Waits for a line of this kind with these members."""
        while True:
            line = self._new.get(timeout=PATIENCE_S)
            if line is None:
                raise AssertionError(f"no {kind} with {members} in {self.lines}")
            if line["type"] == kind and members.items() <= line.items():
                return line

    def end(self):
        """Waits for the end and returns the exit code."""
        code = self._process.wait(timeout=PATIENCE_S)
        while self._new.get(timeout=PATIENCE_S) is not None:
            pass
        self.errors = self._process.stderr.read().decode()
        self.close()
        return code

    def of(self, kind):
        return [line for line in self.lines if line["type"] == kind]

    def signal(self, number):
        self._process.send_signal(number)

    def end_with_sigterm(self):
        """Sends SIGTERM as the agent does, but repeatedly: the first may overtake the cancel."""
        deadline = time.monotonic() + PATIENCE_S
        while self._process.poll() is None:
            if time.monotonic() > deadline:
                raise AssertionError(f"SIGTERM does not end it; {self.lines}")
            self.signal(signal.SIGTERM)
            time.sleep(0.1)
        return self.end()

    def hang_up(self):
        self._process.stdin.close()

    def close(self):
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout, self._process.stderr):
            stream.close()

    def _read_lines(self):
        for text in self._process.stdout:
            line = json.loads(text)
            self.lines.append(line)
            if line["type"] == "begin":
                self.send("answer", request=line["request"], ok=True)
            self._new.put(line)
        self._new.put(None)


class Files(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = os.path.realpath(folder.name)

    def file(self, text, name="file.py"):
        path = os.path.join(self.folder, name)
        with open(path, "w", encoding="utf-8") as stream:
            stream.write(textwrap.dedent(text))
        return path

    def task(self, body, head="", more=""):
        """A file with one class, a_task."""
        text = IMPORTS + more + "class ATask(BaseTask):\n    task_name = 'a_task'\n"
        text += textwrap.indent(textwrap.dedent(head), "    ")
        return self.file(text + textwrap.indent(textwrap.dedent(body), "    "))


    def start(self, path, **options):
        agent = Agent(path, **options)
        self.addCleanup(agent.close)
        return agent


class Describe(Files):
    def describe(self, path):
        done = subprocess.run([sys.executable, HOST, "describe", path],
                              capture_output=True, text=True, timeout=PATIENCE_S,
                              check=False)
        self.errors = done.stderr
        return json.loads(done.stdout) if done.returncode == 0 else None

    def arguments(self, signature, more=""):
        path = self.task(f"async def run({signature}): pass", more=more)
        return self.describe(path)[0]["args"]

    def test_the_documented_class_is_described(self):
        types = self.describe(self.file(DOCUMENTED))

        self.assertEqual(len(types), 1)
        self.assertEqual(types[0]["name"], "my_custom_task")
        self.assertEqual(types[0]["category"], "example")
        self.assertFalse(types[0]["is_blocking"])
        self.assertTrue(types[0]["args"]["additionalProperties"])

    def test_all_classes_of_a_file_are_described_but_no_imported_one(self):
        self.file(IMPORTS + "class Old(BaseTask):\n  task_name = 'old_task'\n"
                            "  async def run(self): pass\n", "_old.py")
        types = self.describe(self.file(IMPORTS + """\
from _old import Old
class One(BaseTask):
    '''Turns once.

    And more.'''
    task_name = 'one_task'
    is_exclusive = True
    uses = ['motor']
    def run(self): pass
class Base(BaseTask):
    '''Has no run() and is no type.'''
class Two(Base):
    task_name = 'two_task'
    is_blocking = True
    resumable = True
    async def run(self): yield
"""))

        self.assertEqual([one["name"] for one in types], ["one_task", "two_task"])
        self.assertEqual(types[0]["title"], "Turns once")
        self.assertEqual(types[0]["uses"], ["motor"])
        self.assertTrue(types[0]["is_exclusive"])
        self.assertEqual(types[1]["title"], "two_task")
        self.assertTrue(types[1]["is_blocking"] and types[1]["resumable"])

    def test_a_module_can_opt_out(self):
        path = self.file(DOCUMENTED + "\n__openscan_autodiscover__ = False\n")

        self.assertEqual(self.describe(path), [])

    def test_a_bad_class_does_not_affect_the_others(self):
        types = self.describe(self.file(IMPORTS + """\
class Nameless(BaseTask):
    async def run(self): pass
class Lazy(BaseTask):
    task_name = 'lazy_task'
    def run(self): yield
class Good(BaseTask):
    task_name = 'good_task'
    async def run(self): pass
"""))

        self.assertEqual(types[0], {"problem": "the class Nameless has no task_name"})
        self.assertIn("plain generator", types[1]["problem"])
        self.assertEqual(types[2]["name"], "good_task")

    def test_what_a_file_prints_is_not_part_of_its_description(self):
        path = self.file("import os\nprint('hello')\nos.system('echo child')\n" + DOCUMENTED)

        self.assertEqual(self.describe(path)[0]["name"], "my_custom_task")
        self.assertIn("hello", self.errors)
        self.assertIn("child", self.errors)

    def test_a_broken_file_is_described_by_one_line_with_its_error(self):
        broken = {"x = 1\nx y\n": "line 2: SyntaxError: invalid syntax",
                  "\n\nimport no_such_module\n":
                      "line 3: ModuleNotFoundError: No module named 'no_such_module'",
                  "raise SystemExit(3)\n": "line 1: SystemExit: 3"}
        for text, sentence in broken.items():
            self.assertIsNone(self.describe(self.file(text)))
            self.assertEqual(self.errors.splitlines()[-1], sentence)

    def test_describing_a_file_leaves_no_files_behind(self):
        self.describe(self.file(DOCUMENTED))

        self.assertEqual(os.listdir(self.folder), ["file.py"])

    def test_arguments_have_names_types_and_defaults(self):
        schema = self.arguments("self, steps: int, delay: float = 0.5, name: str = 'x', "
                                "on: bool = True, some: list = [1], more: dict = {}, any=None")

        self.assertEqual(schema["properties"], {
            "steps": {"type": "integer"},
            "delay": {"type": "number", "default": 0.5},
            "name": {"type": "string", "default": "x"},
            "on": {"type": "boolean", "default": True},
            "some": {"type": "array", "default": [1]},
            "more": {"type": "object", "default": {}},
            "any": {"default": None}})
        self.assertEqual(schema["required"], ["steps"])
        self.assertFalse(schema["additionalProperties"])

    def test_annotations_may_be_nested_or_strings(self):
        schema = self.arguments(
            "self, a: Optional[int] = None, b: 'List[str]' = (), c: Dict[str, int] = {}, "
            "d: Union[int, List[float]] = 1, e: Literal['x', 'y'] = 'x', f: int = None, "
            "g: 'NoSuchName' = 3, h: TaskProgress = None",
            more="from typing import *\n")

        self.assertEqual(schema["properties"], {
            "a": {"type": ["integer", "null"], "default": None},
            "b": {"type": "array", "items": {"type": "string"}, "default": []},
            "c": {"type": "object", "default": {}},
            "d": {"anyOf": [{"type": "integer"},
                            {"type": "array", "items": {"type": "number"}}], "default": 1},
            "e": {"enum": ["x", "y"], "default": "x"},
            "f": {"type": ["integer", "null"], "default": None},
            "g": {"default": 3},
            "h": {"default": None}})

    def test_kwargs_allow_further_arguments_and_args_are_ignored(self):
        schema = self.arguments("self, *args, a: int = 1, **kwargs")

        self.assertEqual(list(schema["properties"]), ["a"])
        self.assertTrue(schema["additionalProperties"])

    def test_a_default_that_json_cannot_represent_is_left_to_python(self):
        schema = self.arguments("self, a: int = object()")

        self.assertEqual(schema["properties"], {"a": {"type": "integer"}})
        self.assertNotIn("required", schema)


class Run(Files):
    def test_the_documented_class_runs(self):
        agent = self.start(self.file(DOCUMENTED), name="my_custom_task")

        self.assertEqual(agent.end(), 0)
        self.assertEqual([line["type"] for line in agent.lines],
                         ["begin", "progress", "result"])
        self.assertEqual(agent.lines[1]["message"], "Starting...")
        self.assertEqual(agent.lines[1]["total"], 10)
        self.assertEqual(agent.lines[2]["value"], "Done!")

    def test_arguments_arrive_by_name(self):
        agent = self.start(self.task("""\
            async def run(self, a, *args, b=2, **kwargs):
                return [a, b, kwargs, self.id, self.name, self._task_model.run_kwargs]
            """), args={"a": 1, "c": 3})

        self.assertEqual(agent.wait("result")["value"],
                         [1, 2, {"c": 3}, "t1", "a_task", {"a": 1, "c": 3}])

    def test_a_blocking_run_may_use_a_loop_of_its_own(self):
        agent = self.start(self.task("""\
            is_blocking = True
            def run(self, *args, **kwargs):
                self._update_progress(1, 2, "half")
                asyncio.run(asyncio.sleep(0))
                return "Blocking task complete."
            """))

        self.assertEqual(agent.wait("progress")["message"], "half")
        self.assertEqual(agent.wait("result")["value"], "Blocking task complete.")
        self.assertEqual(agent.end(), 0)

    def test_a_generator_reports_its_steps_and_sets_its_result(self):
        agent = self.start(self.task("""\
            async def run(self, total_steps: int = 3):
                for i in range(total_steps):
                    await asyncio.sleep(0.1)
                    yield TaskProgress(current=i + 1, total=total_steps, message=f"{i + 1}")
                self._task_model.result = {"steps": total_steps}
            """))

        self.assertEqual(agent.end(), 0)
        self.assertEqual([line["current"] for line in agent.of("progress")], [1, 2, 3])
        self.assertEqual(agent.of("result")[0]["value"], {"steps": 3})
        self.assertEqual(agent.of("checkpoint"), [])

    def test_setting_a_field_of_progress_reports_it(self):
        agent = self.start(self.task("""\
            async def run(self):
                self._task_model.progress.total = 4
                self._task_model.progress.message = "in place"
                await asyncio.sleep(60)
            """))

        self.assertEqual(agent.wait("progress", message="in place")["total"], 4)

    def test_fast_progress_is_thinned_but_the_last_one_is_reported(self):
        agent = self.start(self.task("""\
            async def run(self):
                for i in range(20001):
                    yield TaskProgress(current=i, total=20000)
            """))

        self.assertEqual(agent.end(), 0)
        self.assertLess(len(agent.of("progress")), 500)
        self.assertEqual(agent.of("progress")[-1]["current"], 20000)

    def test_prints_and_children_do_not_disturb_the_protocol(self):
        agent = self.start(self.task("""\
            async def run(self):
                print("printed")
                subprocess.run(["sh", "-c", "echo from a child; cat"])
                return sys.stdin.read()
            """))

        self.assertEqual(agent.end(), 0)
        self.assertEqual(agent.of("result")[0]["value"], "")
        self.assertIn("printed\n", agent.errors)
        self.assertIn("from a child\n", agent.errors)

    def test_logging_goes_to_the_log_at_a_limited_rate(self):
        agent = self.start(self.task("""\
            async def run(self):
                logging.getLogger(__name__).info("told %d", 1)
                logging.getLogger(__name__).debug("not told")
                for i in range(5000):
                    logging.warning("much")
            """))

        self.assertEqual(agent.end(), 0)
        log = agent.of("log")
        self.assertEqual((log[0]["level"], log[0]["message"]), ("info", "told 1"))
        self.assertLess(len(log), 1000)
        self.assertIn("more lines in one second", log[-1]["message"])

    def test_a_failure_reports_its_sentence_and_logs_its_traceback(self):
        agent = self.start(self.task("""\
            async def run(self, error_message: str):
                await asyncio.sleep(0.01)
                raise ValueError(error_message)
            """), args={"error_message": "the lamp is broken"})

        self.assertEqual(agent.end(), 1)
        error = agent.of("error")[0]
        self.assertEqual((error["code"], error["message"]),
                         ("task_failed", "the lamp is broken"))
        self.assertIn("raise ValueError(error_message)", agent.errors)
        self.assertEqual(agent.of("result"), [])

    def test_exiting_the_program_is_a_failure(self):
        for leaving in ("sys.exit(0)", "raise KeyboardInterrupt"):
            agent = self.start(self.task(f"async def run(self): {leaving}"))

            self.assertEqual(agent.end(), 1)
            self.assertEqual(len(agent.of("error")), 1)

    def test_results_that_json_cannot_represent_are_failures(self):
        for value in ("object()", "float('nan')", "'x' * 300000"):
            agent = self.start(self.task(f"async def run(self): return {value}"))

            self.assertEqual(agent.end(), 1)
            self.assertEqual(agent.of("result"), [])
            self.assertTrue(agent.of("error")[0]["message"])

    def test_results_may_be_paths_times_sets_and_models(self):
        agent = self.start(self.task("""\
            async def run(self):
                return {"path": pathlib.Path("/x"), "day": datetime.date(2026, 5, 4),
                        "set": {1}, "status": TaskStatus.RUNNING,
                        "progress": TaskProgress(current=1)}
            """, more="import datetime, pathlib\n"))

        self.assertEqual(agent.wait("result")["value"], {
            "path": "/x", "day": "2026-05-04", "set": [1], "status": "running",
            "progress": {"current": 1, "total": 0, "message": ""}})

    def test_a_thread_that_is_still_running_does_not_delay_the_end(self):
        agent = self.start(self.task("""\
            async def run(self):
                threading.Thread(target=time.sleep, args=(3600,)).start()
                return "left"
            """))

        self.assertEqual(agent.end(), 0)
        self.assertEqual(agent.of("result")[0]["value"], "left")

    def test_a_run_ends_when_the_agent_is_gone(self):
        agent = self.start(self.task("async def run(self): await asyncio.sleep(3600)"))
        agent.wait("begin")

        agent.hang_up()

        self.assertEqual(agent._process.wait(timeout=PATIENCE_S), 1)


STEPS = """\
async def run(self, total_steps: int = 3):
    begin = int(self._task_model.progress.current)
    for i in range(begin, total_steps):
        await asyncio.sleep(0.01)
        yield TaskProgress(current=i + 1, total=total_steps, message=f"begun at {begin}")
"""


class PauseAndCancel(Files):
    def test_a_generator_pauses_between_two_steps(self):
        agent = self.start(self.task(STEPS), args={"total_steps": 1000000})
        agent.wait("progress")

        agent.send("pause")
        agent.wait("paused")
        before = len(agent.of("progress"))
        time.sleep(0.2)
        after = len(agent.of("progress"))
        agent.send("resume")
        agent.wait("progress")
        agent.send("cancel", estop=False)

        self.assertEqual(agent.end(), 0)
        self.assertEqual(before, after)
        self.assertEqual(len(agent.of("paused")), 1)

    def test_an_async_function_pauses_only_at_wait_for_pause(self):
        agent = self.start(self.task("""\
            async def run(self):
                self._update_progress(1, 3)
                while not self.is_paused():
                    await asyncio.sleep(0.01)
                self._update_progress(2, 3, "asked to pause")
                await asyncio.sleep(0.1)
                self._update_progress(3, 3, "at the gate")
                await self.wait_for_pause()
                return self._task_model.status
            """))
        agent.wait("progress", current=1)

        agent.send("pause")
        agent.wait("paused")
        agent.send("resume")

        self.assertEqual(agent.end(), 0)
        kinds = [line["type"] for line in agent.lines if line.get("current") != 2]
        self.assertEqual(kinds, ["begin", "progress", "progress", "paused", "result"])
        self.assertEqual(agent.of("result")[0]["value"], "running")

    def test_a_cancelled_coroutine_ends_at_once_and_runs_its_finally_blocks(self):
        agent = self.start(self.task("""\
            async def run(self):
                try:
                    self._update_progress(1, 2)
                    await asyncio.sleep(3600)
                finally:
                    await asyncio.sleep(0.01)
                    self._update_progress(1, 2, f"cleaned up, {self.is_cancelled()}")
            """))
        agent.wait("progress", current=1)

        agent.send("cancel", estop=False)

        self.assertEqual(agent.end(), 0)
        self.assertEqual(agent.of("progress")[-1]["message"], "cleaned up, True")
        self.assertEqual(agent.of("result") + agent.of("error"), [])

    def test_a_paused_generator_can_be_cancelled_and_is_closed(self):
        agent = self.start(self.task("""\
            async def run(self):
                try:
                    while True:
                        await asyncio.sleep(0.01)
                        yield TaskProgress(current=1)
                finally:
                    self._update_progress(2, 2, "closed")
            """))
        agent.wait("progress")
        agent.send("pause")
        agent.wait("paused")

        agent.send("cancel", estop=False)

        self.assertEqual(agent.end(), 0)
        self.assertEqual(agent.of("progress")[-1]["message"], "closed")
        self.assertEqual(agent.of("result") + agent.of("error"), [])

    def test_a_generator_that_awaits_nothing_can_be_cancelled(self):
        agent = self.start(self.task("""\
            async def run(self):
                while True:
                    yield TaskProgress(current=1)
            """))
        agent.wait("progress")

        agent.send("cancel", estop=False)

        self.assertEqual(agent.end(), 0)

    def test_a_coroutine_that_catches_its_cancel_has_no_result(self):
        agent = self.start(self.task("""\
            async def run(self):
                self._update_progress(1, 2)
                try:
                    await asyncio.sleep(3600)
                except asyncio.CancelledError:
                    return "cancelled by request"
            """))
        agent.wait("progress")

        agent.send("cancel", estop=False)

        self.assertEqual(agent.end(), 0)
        self.assertEqual(agent.of("result") + agent.of("error"), [])

    def test_blocking_code_may_check_for_its_cancel(self):
        agent = self.start(self.task("""\
            is_blocking = True
            def run(self):
                self._update_progress(1, 2)
                while not self.is_cancelled():
                    time.sleep(0.01)
                time.sleep(0.2)
                self._update_progress(2, 2, "undone")
            """))
        agent.wait("progress")

        agent.send("cancel", estop=False)
        agent.signal(signal.SIGTERM)

        self.assertEqual(agent.end(), 0)
        self.assertEqual(agent.of("result"), [])

    def test_code_that_does_not_check_is_ended_by_sigterm_and_runs_its_finally_blocks(self):
        blocking = "def run(self):\n"
        greedy = "async def run(self):\n"
        for head, flag in ((blocking, True), (greedy, False)):
            agent = self.start(self.task(f"is_blocking = {flag}\n" + head + """\
    try:
        self._update_progress(1, 2)
        time.sleep(3600)
    finally:
        self._update_progress(1, 2, "cleaned up")
"""))
            agent.wait("progress")
            agent.send("cancel", estop=False)

            self.assertEqual(agent.end_with_sigterm(), 0)
            self.assertEqual(agent.of("progress")[-1]["message"], "cleaned up")
            self.assertEqual(agent.of("result") + agent.of("error"), [])

    def test_sigterm_while_reporting_progress_ends_the_run_too(self):
        for _ in range(5):
            agent = self.start(self.task("""\
                is_blocking = True
                def run(self):
                    try:
                        while True:
                            self._update_progress(1, 2)
                    finally:
                        self._update_progress(1, 2, "cleaned up")
                """))
            agent.wait("progress")
            agent.send("cancel", estop=False)

            self.assertEqual(agent.end_with_sigterm(), 0)
            self.assertEqual(agent.of("progress")[-1]["message"], "cleaned up")

    def test_a_blocking_run_that_was_done_before_it_noticed_the_cancel_keeps_its_result(self):
        agent = self.start(self.task("""\
            is_blocking = True
            def run(self):
                self._update_progress(1, 2)
                time.sleep(0.5)
                return "done"
            """))
        agent.wait("progress")

        agent.send("cancel", estop=False)

        self.assertEqual(agent.wait("result")["value"], "done")

    def test_a_resumable_generator_continues_from_its_progress(self):
        first = self.start(self.task(STEPS, head="resumable = True\n"))
        self.assertEqual(first.end(), 0)
        state = first.of("checkpoint")[-1]["state"]

        second = self.start(self.task(STEPS, head="resumable = True\n"),
                            args={"total_steps": 5}, checkpoint=state)

        self.assertEqual(second.end(), 0)
        self.assertEqual(state["progress"]["current"], 3)
        self.assertEqual(second.of("progress")[-1]["message"], "begun at 3")
        self.assertEqual(second.of("progress")[-1]["current"], 5)

    def test_progress_is_saved_without_waiting_for_more_progress(self):
        agent = self.start(self.task("""\
            async def run(self):
                yield TaskProgress(current=1)
                await asyncio.sleep(0.2)
                yield TaskProgress(current=2)
                await asyncio.sleep(3600)
            """, head="resumable = True\n"))

        for step in (1, 2):
            state = agent.wait("checkpoint")["state"]
            self.assertEqual(state["progress"]["current"], step)


class Rig(Files):
    def test_a_verb_is_requested_and_its_answer_returned(self):
        agent = self.start(self.task("""\
            is_blocking = True
            uses = ["motor", "light", "camera", "trigger"]
            def run(self):
                return [openscan_rig.move(90, name="turntable", relative=True),
                        openscan_rig.home(), openscan_rig.light(True, brightness=40),
                        openscan_rig.capture("a.jpg"), openscan_rig.trigger("external")]
            """, more="import openscan_rig\n"))

        asked = []
        for number in range(5):
            line = agent.wait("rig")
            agent.send("answer", request=line.pop("request"), ok=True, value=number)
            asked.append(line)

        self.assertEqual(agent.wait("result")["value"], [0, 1, 2, 3, 4])
        self.assertEqual(asked, [
            {"type": "rig", "verb": "move", "name": "turntable", "degrees": 90,
             "relative": True},
            {"type": "rig", "verb": "home"},
            {"type": "rig", "verb": "light", "state": "ON", "brightness": 40},
            {"type": "rig", "verb": "capture", "file": "a.jpg"},
            {"type": "rig", "verb": "trigger", "name": "external"}])

    def test_a_refusal_is_an_exception_and_becomes_the_reason_of_the_failure(self):
        agent = self.start(self.task("""\
            async def run(self):
                try:
                    await openscan_rig.aio.home("rotor")
                except openscan_rig.RigError as error:
                    self._update_progress(1, 2, error.code)
                await openscan_rig.aio.move(500)
            """, more="import openscan_rig.aio\n"))

        line = agent.wait("rig", verb="home", name="rotor")
        agent.send("answer", request=line["request"], ok=False, code="device_busy",
                   message="rotor is busy")
        line = agent.wait("rig", verb="move")
        agent.send("answer", request=line["request"], ok=False, code="invalid_args",
                   message="500 is beyond the limits")

        self.assertEqual(agent.end(), 1)
        self.assertEqual(agent.of("progress")[-1]["message"], "device_busy")
        self.assertEqual(agent.of("error")[0]["code"], "invalid_args")
        self.assertEqual(agent.of("error")[0]["message"], "500 is beyond the limits")

    def test_a_task_can_be_cancelled_while_it_waits_for_the_rig(self):
        for run in ("async def run(self): await openscan_rig.aio.home()",
                    "is_blocking = True\ndef run(self): openscan_rig.home()"):
            agent = self.start(self.task(run, more="import openscan_rig.aio\n"))
            agent.wait("rig")

            agent.send("cancel", estop=False)

            self.assertEqual(agent.end_with_sigterm(), 0)
            self.assertEqual(agent.of("error"), [])


if __name__ == "__main__":
    unittest.main()
