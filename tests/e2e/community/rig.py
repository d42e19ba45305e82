"""Task classes that use the rig, and one that may not."""
import logging
import os
from typing import Optional

import openscan_rig
import openscan_rig.aio
from openscan_firmware.controllers.services.tasks.base_task import BaseTask
from openscan_firmware.models.task import TaskProgress


class PhotographTask(BaseTask):
    """Turns, lights and takes a photo"""

    task_name = "photograph_task"
    is_blocking = True
    uses = ["motor", "light", "camera", "trigger"]

    def run(self, degrees: float, name: str = "turntable", fast: Optional[bool] = None):
        print("printed words")
        logging.warning("logged words")
        openscan_rig.light(True, brightness=40)
        turned = openscan_rig.move(degrees, name=name)
        photo = openscan_rig.capture("here.jpg")
        fired = openscan_rig.trigger()
        openscan_rig.light(False)
        with open("here.jpg", "rb") as file:
            start = file.read(2)
        return {"angle": turned["angle"], "fired": fired["name"], "bytes": photo["bytes"],
                "on_disk": os.path.getsize("here.jpg"), "is_jpeg": start == b"\xff\xd8",
                "fast": fast}


class WanderTask(BaseTask):
    task_name = "wander_task"
    uses = ["motor/turntable"]

    async def run(self, steps: int = 1000000):
        for step in range(steps):
            await self.wait_for_pause()
            await openscan_rig.aio.move(45, name="turntable", relative=True)
            self._task_model.progress = TaskProgress(current=step + 1, total=steps)


class TrespassTask(BaseTask):
    task_name = "trespass_task"
    uses = ["light"]

    async def run(self):
        await openscan_rig.aio.move(10, name="turntable")


class NamelessTask(BaseTask):
    async def run(self):
        pass


class BadlyNamed(BaseTask):
    task_name = "Badly-Named"

    async def run(self):
        pass
