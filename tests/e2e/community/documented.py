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
