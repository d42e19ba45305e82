"""The example types as a Python file.  It runs unchanged in OpenScan3 and in this agent."""
import asyncio
import logging
import time

from openscan_firmware.controllers.services.tasks.base_task import BaseTask
from openscan_firmware.models.task import TaskProgress

logger = logging.getLogger(__name__)


class HelloWorldAsyncTask(BaseTask):
    """Hello world"""

    task_name = "hello_world_async_task"
    task_category = "example"

    async def run(self, total_steps: int = 5, delay: float = 0.1, wait_for_event: bool = None):
        self._report(0, total_steps, "Starting Hello World Task...")
        for step in range(1, total_steps + 1):
            await self.wait_for_pause()
            if self.is_cancelled():
                logger.info("Hello World task cancelled.")
                return "Hello World task cancelled by request."
            self._report(step, total_steps, f"Hello World! Step {step} of {total_steps}")
            await asyncio.sleep(delay)
        message = f"Hello World! Completed {total_steps} steps successfully."
        self._report(total_steps, total_steps, message)
        return message

    def _report(self, current, total, message):
        self._task_model.progress = TaskProgress(current=current, total=total, message=message)


class HelloWorldBlockingTask(BaseTask):
    """Hello world, blocking"""

    task_name = "hello_world_blocking_task"
    task_category = "example"
    is_blocking = True

    def run(self, duration: float = 3):
        time.sleep(duration)
        return "Blocking task complete."


class ExclusiveDemoTask(BaseTask):
    """Exclusive demo"""

    task_name = "exclusive_demo_task"
    task_category = "example"
    is_exclusive = True

    async def run(self, duration: float = 1.0):
        self._task_model.progress = TaskProgress(current=0, total=1,
                                                 message="Starting exclusive lock")
        await asyncio.sleep(duration)
        self._task_model.progress = TaskProgress(current=1, total=1,
                                                 message="Finished exclusive lock")
        return {"status": "completed", "duration": duration}


class GeneratorTask(BaseTask):
    """Step counter"""

    task_name = "generator_task"
    task_category = "example"
    resumable = True  # this agent passes the progress of an interrupted run to the next one

    async def run(self, total_steps: int = 10, interval: float = 0.5):
        done = int(self._task_model.progress.current)
        if done and done >= total_steps:
            self._task_model.result = "Task already completed."
            yield TaskProgress(current=total_steps, total=total_steps,
                               message="Task already completed.")
            return

        begun = "Resuming" if done else "Starting"
        yield TaskProgress(current=done, total=total_steps, message=f"{begun} from step {done}.")
        for step in range(done + 1, total_steps + 1):
            await self.wait_for_pause()
            if self.is_cancelled():
                return
            await asyncio.sleep(interval)
            yield TaskProgress(current=step, total=total_steps,
                               message=f"Step {step} of {total_steps} complete.")
        self._task_model.result = f"Generator task completed after {total_steps} steps."


class FailingTask(BaseTask):
    """Failing task"""

    task_name = "failing_task"
    task_category = "example"

    async def run(self, error_message: str = "This task was designed to fail."):
        await asyncio.sleep(0.01)
        raise RuntimeError(error_message)
