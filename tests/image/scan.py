"""A scan's folder: which photo was taken from where, by what the agent wrote down.

The frame is that of hal/sim/render.h: z up, x at the turntable's 0 degrees, the camera
looks at the origin with the top of its picture towards smaller theta.  Lengths are in
radii.
"""

import json
import os

import numpy as np


def centre(theta, fi):
    """Where the camera stands, seen from the object; angles in degrees."""
    t, f = np.radians(theta), np.radians(fi)
    return np.array([np.sin(t) * np.cos(f), np.sin(t) * np.sin(f), np.cos(t)])


def rotation(theta, fi):
    """From the world to the camera: its rows are the camera's right, down and ahead."""
    ahead = -centre(theta, fi)
    down = centre(theta + 90, fi)
    return np.array([np.cross(down, ahead), down, ahead])


class Scan:
    def __init__(self, folder):
        self.folder = folder
        with open(os.path.join(folder, "path.json")) as file:
            path = json.load(file)
        stem = os.path.basename(os.path.normpath(folder))
        # In the order in which the points were visited.
        self.angles = {
            "%s_%03d.jpg" % (stem, point["original_step"]): (
                point["polar"]["theta"],
                point["polar"]["fi"],
            )
            for point in path["points"]
        }
        with open(os.path.join(folder, "intrinsics.json")) as file:
            self.lens = json.load(file)

    def names(self):
        return list(self.angles)

    def photos(self):
        """The names of the photos that are on disk."""
        return sorted(n for n in os.listdir(self.folder) if n in self.angles)

    def metadata(self, name):
        file = os.path.splitext(name)[0] + ".json"
        with open(os.path.join(self.folder, "metadata", file)) as file:
            return json.load(file)

    def pairs(self, degrees):
        """Those photos that were taken from less than this apart."""
        names = sorted(self.angles)
        eyes = [centre(*self.angles[name]) for name in names]
        near = np.cos(np.radians(degrees))
        for i, name in enumerate(names):
            for k in range(i + 1, len(names)):
                if eyes[i] @ eyes[k] > near:
                    yield name, names[k]
