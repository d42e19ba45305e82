"""Holds what COLMAP found against what the agent wrote down.

    check_reconstruction.py pairs SCAN PHOTOS PAIRS     writes the two lists for COLMAP
    check_reconstruction.py lens SCAN                   prints the lens as COLMAP takes it
    check_reconstruction.py scan SCAN                   the scan's documents among themselves
    check_reconstruction.py poses SCAN SPARSE [--free]  the mapper's best model against the path
    check_reconstruction.py copies SCAN MODEL DATABASE FOLDER
                                         writes an exported model with the database's
                                         numbers of the photos into FOLDER/true, and wrong
                                         on purpose into FOLDER/exchanged and FOLDER/tilted
    check_reconstruction.py exported SCAN MODEL SPARSE FOLDER
                                         an exported model, and what was triangulated with
                                         its three copies, which lies in them

Every check is a line that begins with "ok" or "FAILED".
"""

import os
import random
import shutil
import sqlite3
import sys

import numpy as np

from model import Model, largest, lines_of
from scan import Scan, centre, rotation

PAIR_DEGREES = 50  # further apart photos have too little in common to match

MISSING = 1  # photos that may be left out
RMS = 0.3  # of the camera's centres, in % of the radius
WORST = 1.0
AXIS = 0.5  # degrees
FOCAL = 0.5  # %
PIXELS = 1.0  # mean reprojection error of points triangulated with exported poses
SHARE = 60  # % of what a photo sees in the mapper's model that it must see in this one
SPOILT = 3.0  # degrees


def check(good, sentence):
    print("  %-6s  %s" % ("ok" if good else "FAILED", sentence))
    return good


def similarity(a, b):
    """Scale, rotation and shift that bring the points a nearest to b (Umeyama 1991)."""
    middle_a, middle_b = a.mean(0), b.mean(0)
    a, b = a - middle_a, b - middle_b
    u, d, v = np.linalg.svd(b.T @ a / len(a))
    sign = np.diag([1, 1, np.sign(np.linalg.det(u) * np.linalg.det(v))])
    turn = u @ sign @ v
    scale = np.trace(np.diag(d) @ sign) / (a**2).sum(1).mean()
    return scale, turn, middle_b - scale * turn @ middle_a


class Errors:
    """How far the poses of a model are from those that the angles tell."""

    def __init__(self, model, angles):
        names = [name for name in angles if name in model.centres]
        truth = np.array([centre(*angles[name]) for name in names])
        found = np.array([model.centres[name] for name in names])
        scale, turn, shift = similarity(found, truth)
        away = np.linalg.norm(scale * found @ turn.T + shift - truth, axis=1)
        self.rms = 100 * np.sqrt((away**2).mean())
        self.worst = 100 * away.max()
        self.axis = self.roll = 0
        for name in names:
            right, _down, ahead = model.rotations[name] @ turn.T
            want = rotation(*angles[name])
            self.axis = max(self.axis, angle(ahead, want[2]))
            self.roll = max(self.roll, angle(right, want[0]))

    def within(self):
        return self.rms <= RMS and self.worst <= WORST and self.axis <= AXIS

    def __str__(self):
        return "rms %.2f %%, worst %.2f %%, axis %.2f degrees" % (
            self.rms,
            self.worst,
            self.axis,
        )


def angle(a, b):
    return np.degrees(np.arctan2(np.linalg.norm(np.cross(a, b)), a @ b))


def check_errors(errors):
    check(
        errors.rms <= RMS and errors.worst <= WORST,
        "the cameras stand where the path says: rms %.3f %% of the radius (%g), "
        "worst %.3f %% (%g)" % (errors.rms, RMS, errors.worst, WORST),
    )
    check(
        errors.axis <= AXIS and errors.roll <= AXIS,
        "they look at the middle, upright: axis %.2f degrees, about it %.2f (%g)"
        % (errors.axis, errors.roll, AXIS),
    )


def exchanged(angles, a, b):
    return {**angles, a: angles[b], b: angles[a]}


def shuffled(angles):
    values = list(angles.values())
    random.Random(1).shuffle(values)
    return dict(zip(angles, values))


def slipped(angles):
    """As if the turntable had lost steps in the middle of the scan."""
    half = len(angles) // 2
    return {
        name: (theta, fi + SPOILT * (i >= half))
        for i, (name, (theta, fi)) in enumerate(angles.items())
    }


def check_controls(model, angles):
    """With a truth that is wrong the same model must not pass."""
    spoilt = {
        "the turntable's sign reversed": {n: (t, -f) for n, (t, f) in angles.items()},
        "the names shuffled": shuffled(angles),
        "the rotor off by %g degrees" % SPOILT: {
            n: (t + SPOILT, f) for n, (t, f) in angles.items()
        },
        "the turntable off by %g degrees from the middle on" % SPOILT: slipped(angles),
    }
    for name, wrong in spoilt.items():
        errors = Errors(model, wrong)
        check(not errors.within(), "refused with %s: %s" % (name, errors))
    names = [name for name in angles if name in model.centres]
    nearest = min(
        (Errors(model, exchanged(angles, a, b)) for a, b in zip(names, names[1:])),
        key=lambda errors: errors.worst,
    )
    check(
        not nearest.within(),
        "refused with any two neighbours exchanged: %s at least" % nearest,
    )


def check_scan(scan):
    photos = scan.photos()
    check(
        photos == sorted(scan.names()),
        "%d of %d photos are on disk" % (len(photos), len(scan.names())),
    )
    astray = []
    for name in photos:
        told = scan.metadata(name)["scan_metadata"]["polar_coordinates"]
        if np.abs(np.subtract(scan.angles[name], (told["theta"], told["fi"]))).max() > 1e-6:
            astray.append(name)
    check(not astray, "their metadata tell the angles of the path %s" % " ".join(astray))


def check_poses(scan, sparse, free):
    model = largest(sparse)
    count = len(model.centres) if model else 0
    total = len(scan.names())
    check(
        count >= total - MISSING,
        "%d of %d photos are in one model (%d)" % (count, total, total - MISSING),
    )
    if count < 3:
        check(False, "there is no model to hold against the path")
        return
    check_errors(Errors(model, scan.angles))
    if free:
        away = 100 * (model.focal() / scan.lens["fx"] - 1)
        check(
            abs(away) <= FOCAL,
            "the focal length found is %.1f pixels, %+.2f %% of what the scan says (%g)"
            % (model.focal(), away, FOCAL),
        )
    check_controls(model, scan.angles)


def poses_of(folder):
    """The numbers of each photo's pose, as they are written."""
    fields = [line.split() for line in lines_of(folder, "images.txt")[0::2]]
    return {f[9]: f[1:8] for f in fields if f}


def write_poses(source, folder, change):
    """Copies an exported model, with the fields of its photos changed."""
    shutil.copytree(source, folder)
    lines = lines_of(source, "images.txt")
    with open(os.path.join(folder, "images.txt"), "w") as file:
        for pose in lines[0::2]:
            if pose:
                file.write(" ".join(change(pose.split())) + "\n\n")


def write_copies(scan, source, database, folder):
    # point_triangulator knows a photo by its number, and the feature extractor numbers them
    # as its threads get ready.
    with sqlite3.connect(database) as db:
        numbers = dict(db.execute("SELECT name, image_id FROM images"))

    def true(f):
        return [str(numbers[f[9]]), *f[1:]]

    a, b = scan.names()[:2]
    poses = poses_of(source)
    poses[a], poses[b] = poses[b], poses[a]

    def other(f):
        return true([f[0], *poses[f[9]], *f[8:]])

    # A camera that looks from theta + 3 degrees is turned by that about its own right.
    c, s = np.cos(np.radians(SPOILT) / 2), np.sin(np.radians(SPOILT) / 2)

    def tilted(f):
        w, x, y, z = (float(n) for n in f[1:5])
        turned = (c * w - s * x, c * x + s * w, c * y - s * z, c * z + s * y)
        return true([f[0], *("%.17g" % n for n in turned), *f[5:]])

    for name, change in (("true", true), ("exchanged", other), ("tilted", tilted)):
        write_poses(source, os.path.join(folder, name), change)


class Points:
    """What was triangulated with given poses, beside the mapper's own model."""

    def __init__(self, folder, mapped):
        model = Model(folder)
        self.count = len(model.errors)
        self.error = float(np.mean(model.errors)) if model.errors else float("inf")
        self.share = min(
            100 * model.sightings.get(name, 0) / max(seen, 1)
            for name, seen in mapped.sightings.items()
        )

    def within(self):
        return self.error < PIXELS and self.share >= SHARE

    def __str__(self):
        return "%d points, %.2f pixels, the poorest photo sees %.0f %% of its points" % (
            self.count,
            self.error,
            self.share,
        )


def check_exported(scan, source, sparse, folder):
    model, mapped = Model(source), largest(sparse)
    check(
        sorted(model.centres) == scan.photos(),
        "the exported model has the %d photos" % len(model.centres),
    )
    check_errors(Errors(model, scan.angles))
    if not mapped:
        check(False, "there is no model to hold the triangulated points against")
        return
    found = Points(os.path.join(folder, "true"), mapped)
    check(
        found.within(),
        "the exported model triangulates: %s (%g, %g %%)" % (found, PIXELS, SHARE),
    )
    for name, wrong in (
        ("two neighbours exchanged", "exchanged"),
        ("all tilted by %g degrees" % SPOILT, "tilted"),
    ):
        found = Points(os.path.join(folder, wrong), mapped)
        check(not found.within(), "refused with %s: %s" % (name, found))


def write_lists(scan, photos, pairs):
    with open(photos, "w") as file:
        file.writelines(name + "\n" for name in scan.photos())
    with open(pairs, "w") as file:
        file.writelines("%s %s\n" % pair for pair in scan.pairs(PAIR_DEGREES))


def main(verb, folder, *rest):
    scan = Scan(folder)
    if verb == "pairs":
        write_lists(scan, *rest)
    elif verb == "lens":
        print(",".join(str(scan.lens[key]) for key in ("fx", "fy", "cx", "cy")))
    elif verb == "scan":
        check_scan(scan)
    elif verb == "poses":
        check_poses(scan, rest[0], "--free" in rest)
    elif verb == "copies":
        write_copies(scan, *rest)
    elif verb == "exported":
        check_exported(scan, *rest)
    else:
        sys.exit("check_reconstruction.py: %s is not a verb" % verb)


main(*sys.argv[1:])
