#!/usr/bin/env python3
"""Holds a stacked picture against the truth of its stack (see make.py).

    check_stack.py FOLDER RESULT.jpg REPORT.json [--near-oracle] [--corners PX]

REPORT.json is what the program `stack` printed.  Prints peak signal-to-noise ratios in dB, in
luma and in RGB, inside a margin of 4 %: of an oracle that knows depth and warps and takes each
pixel from the frame nearest in focus, of the middle frame alone, and of the result.

Fails when the result is more than 0.3 dB below the middle frame or smeared: more than 2 % of
its tiles of 64 pixels are 2 dB worse than in the middle frame.  With --near-oracle also when
luma is more than 0.5 dB below the oracle or RGB below it; with --corners when a corner of a
frame was put more than so many pixels beside where it is.
"""
import argparse
import glob
import json
import os
import sys

import cv2
import numpy as np

TILE = 64
WEIGHTS = np.array([0.114, 0.587, 0.299], np.float32)  # of blue, green, red in luma


def decibel(error):
    return 10 * np.log10(255 ** 2 / max(float(error), 1e-9))


class Stack:
    def __init__(self, folder):
        self.truth = self.read(os.path.join(folder, "truth.png"))
        self.height, self.width = self.truth.shape[:2]
        self.depth = cv2.imread(os.path.join(folder, "depth.png"), 0) / 255
        self.frames = sorted(glob.glob(os.path.join(folder, "fs*.jpg")))
        with open(os.path.join(folder, "warps.json"), encoding="ascii") as file:
            self.warps = np.array(json.load(file))

    @staticmethod
    def read(path):
        return cv2.imread(path).astype(np.float32)

    def squares(self, picture):
        """Of the errors in luma and in RGB, without the margin."""
        margin = self.width // 25
        error = (picture - self.truth)[margin:-margin, margin:-margin]
        return (error @ WEIGHTS) ** 2, error ** 2

    def score(self, picture):
        return [decibel(squares.mean()) for squares in self.squares(picture)]

    def tiles(self, picture):
        luma = self.squares(picture)[0]
        rows, columns = luma.shape[0] // TILE, luma.shape[1] // TILE
        luma = luma[:rows * TILE, :columns * TILE]
        return luma.reshape(rows, TILE, columns, TILE).mean((1, 3))

    def oracle(self):
        away = np.full(self.depth.shape, 9.0)
        out = np.zeros_like(self.truth)
        for i, path in enumerate(self.frames):
            frame = cv2.warpAffine(self.read(path), self.warps[i], (self.width, self.height),
                                   flags=cv2.INTER_LANCZOS4 | cv2.WARP_INVERSE_MAP,
                                   borderMode=cv2.BORDER_REFLECT)
            distance = np.abs(self.depth - i / max(1, len(self.frames) - 1))
            out = np.where((distance < away)[..., None], frame, out)
            away = np.minimum(distance, away)
        coded = cv2.imencode(".jpg", out, [cv2.IMWRITE_JPEG_QUALITY, 90])[1]
        return cv2.imdecode(coded, 1).astype(np.float32)

    def corner_error(self, report):
        x, y = self.width - 1, self.height - 1
        corners = np.array([[0, 0, 1], [x, 0, 1], [0, y, 1], [x, y, 1]]).T
        off = (np.array(report["warps"]) - self.warps) @ corners
        return float(np.hypot(off[:, 0], off[:, 1]).max())


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder")
    parser.add_argument("result")
    parser.add_argument("report")
    parser.add_argument("--near-oracle", action="store_true")
    parser.add_argument("--corners", type=float)
    given = parser.parse_args()
    stack = Stack(given.folder)
    result, middle = stack.read(given.result), stack.read(stack.frames[len(stack.frames) // 2])
    with open(given.report, encoding="ascii") as file:
        report = json.load(file)
    oracle, alone, got = map(stack.score, (stack.oracle(), middle, result))
    smeared = float((stack.tiles(result) > stack.tiles(middle) * 10 ** 0.2).mean())
    corner = stack.corner_error(report)
    print(f"luma {got[0]:.2f} (oracle {oracle[0]:.2f}, middle {alone[0]:.2f}), "
          f"RGB {got[1]:.2f} ({oracle[1]:.2f}, {alone[1]:.2f}), {100 * smeared:.1f} % of the "
          f"tiles worse, corners within {corner:.2f} px, "
          f"{sum(report['aligned'])} of {len(stack.frames)} aligned")
    faults = []
    if got[0] < alone[0] - 0.3 or got[1] < alone[1] - 0.3:
        faults.append("more than 0.3 dB below the middle frame")
    if smeared > 0.02:
        faults.append("smeared")
    if given.near_oracle and (got[0] < oracle[0] - 0.5 or got[1] < oracle[1]):
        faults.append("not near the oracle")
    if given.corners and corner > given.corners:
        faults.append("badly aligned")
    for fault in faults:
        print(f"  {fault}")
    sys.exit(1 if faults else 0)


main()
