#!/usr/bin/env python3
"""Holds the crop analysis of the program `crop` against the same one made of OpenCV's parts.

    crop.py PROGRAM FOLDER [THRESHOLD...]

Looks at every JPEG in the folder and at five pictures of noise that it makes there.  Fails
when crop_width or crop_height differ by more than one percent.
"""
import glob
import os
import subprocess
import sys

import cv2
import numpy as np

SCALE = 0.3


def analyse(path, threshold):
    photo = cv2.imread(path)  # turned as its EXIF block says
    height, width = photo.shape[:2]
    small = cv2.resize(photo, None, fx=SCALE, fy=SCALE, interpolation=cv2.INTER_AREA)
    grey = cv2.blur(cv2.cvtColor(small, cv2.COLOR_BGR2GRAY), (3, 3))
    outlines, _ = cv2.findContours(cv2.Canny(grey, threshold, 2 * threshold), cv2.RETR_TREE,
                                   cv2.CHAIN_APPROX_SIMPLE)
    left, top, right, bottom = width, height, 0, 0
    for outline in outlines:
        box = cv2.boundingRect(cv2.approxPolyDP(outline, 3, True))
        x, y, w, h = (int(v / SCALE) for v in box)
        left, top = min(left, x), min(top, y)
        right, bottom = max(right, x + w), max(bottom, y + h)
    if not outlines:
        left, top, right, bottom = 0, 0, width, height
    across = max(0, min(left, width - right))
    down = max(0, min(top, height - bottom))
    return [left, top, right - left, bottom - top, round(200 * across / width),
            round(200 * down / height), len(outlines)]


def noise(folder):
    """In a part of the picture, as coarse as the small picture shows it."""
    rng = np.random.default_rng(7)
    for i, (left, top) in enumerate([(0.2, 0.1), (0.1, 0.3), (0.35, 0.2), (0.3, 0.4), (0, 0)]):
        picture = np.full((615, 820, 3), 90, np.float32)
        grain = rng.normal(0, 25 + 12 * i, (123, 164, 3)).astype(np.float32)
        grain = cv2.resize(grain, (820, 615), interpolation=cv2.INTER_CUBIC)
        x, y = int(820 * left), int(615 * top)
        part = np.s_[y:615 - y // 2, x:820 - x // 2]
        picture[part] += grain[part]
        cv2.imwrite(os.path.join(folder, f"noise{i}.jpg"), np.clip(picture, 0, 255))


def main():
    program, folder = sys.argv[1:3]
    thresholds = [int(t) for t in sys.argv[3:]] or [100]
    noise(folder)
    photos = sorted(glob.glob(os.path.join(folder, "*.jpg")))
    worst, bad = 0, 0
    for threshold in thresholds:
        lines = subprocess.run([program, str(threshold), *photos], check=True, text=True,
                               stdout=subprocess.PIPE).stdout.splitlines()
        for path, line in zip(photos, lines):
            got, expected = [int(v) for v in line.split()], analyse(path, threshold)
            off = max(abs(a - b) for a, b in zip(got[4:6], expected[4:6]))
            worst = max(worst, off)
            if off > 1:
                bad += 1
                print(f"  {os.path.basename(path)} at {threshold}: {got}, OpenCV {expected}")
    print(f"{len(photos)} pictures, {len(thresholds)} thresholds: off by {worst} % at most")
    sys.exit(1 if bad else 0)


main()
