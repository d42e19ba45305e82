"""A model of COLMAP in its text format, https://colmap.github.io/format.html."""

import os

import numpy as np


def rotation_of(w, x, y, z):
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
            [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
            [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
        ]
    )


def lines_of(folder, name):
    with open(os.path.join(folder, name)) as file:
        return [line.rstrip("\n") for line in file if not line.startswith("#")]


class Model:
    def __init__(self, folder):
        self.cameras = {}  # id: (name of the kind, parameters)
        self.rotations = {}  # by photo, from the world to the camera
        self.centres = {}
        self.sightings = {}  # how many points each photo sees
        for line in lines_of(folder, "cameras.txt"):
            number, kind, _width, _height, *numbers = line.split()
            self.cameras[int(number)] = (kind, [float(n) for n in numbers])
        # Two lines a photo; the second, its points, may be empty.
        lines = lines_of(folder, "images.txt")
        for pose, points in zip(lines[0::2], lines[1::2]):
            self._add(pose.split(), points.split())
        self.errors = [  # of each point, in pixels
            float(line.split()[7]) for line in lines_of(folder, "points3D.txt") if line
        ]

    def _add(self, pose, points):
        name = pose[9]
        turn = rotation_of(*(float(n) for n in pose[1:5]))
        self.rotations[name] = turn
        self.centres[name] = -turn.T @ np.array([float(n) for n in pose[5:8]])
        self.sightings[name] = sum(point != "-1" for point in points[2::3])

    def focal(self):
        return next(iter(self.cameras.values()))[1][0]


def largest(folder):
    """The model with the most photos of those that the mapper left; None for none."""
    models = [
        Model(entry.path)
        for entry in os.scandir(folder)
        if os.path.exists(os.path.join(entry.path, "images.txt"))
    ]
    return max(models, key=lambda model: len(model.centres), default=None)
