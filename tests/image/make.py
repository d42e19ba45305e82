#!/usr/bin/env python3
"""Makes a focus stack whose truth is known.

    make.py FOLDER [--scene NAME] [--size WxH] [--frames N] [--seed S]
            [--breathing B] [--shift PX] [--blur K]

Writes truth.png (the scene, sharp all over), depth.png (0 near to 255 far; frame i is focused
at i / (N - 1)), warps.json (two rows of three for each frame: where a pixel of the truth lies
in it) and fs00.jpg, fs01.jpg and so on.  breathing is by how much neighbours differ in size,
shift how far they are off at most in pixels of a picture 4656 wide, blur how much stronger
than the default what is out of focus is blurred.

Scenes: plain (textured surfaces in steps and slopes), thin (and wires before them), highlights
(and small lights far brighter than white), turned (frames turned by up to half a degree),
exposure (frames up to 10 % lighter or darker), noisy, flat (hardly any contrast), empty (noise
alone).
"""
import argparse
import json
import os

import cv2
import numpy as np

LIGHTS = 60
WIRES = 14
GAMMA = 2.2


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder")
    parser.add_argument("--scene", default="plain")
    parser.add_argument("--size", default="1640x1232")
    parser.add_argument("--frames", type=int, default=5)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--breathing", type=float, default=0.006)
    parser.add_argument("--shift", type=float, default=2.5)
    parser.add_argument("--blur", type=float, default=1.0)
    given = parser.parse_args()
    given.width, given.height = map(int, given.size.split("x"))
    return given


def cloud(rng, width, height, cells):
    """Smooth random values, about one hill a cell."""
    rows = max(3, cells * height // width + 2)
    grid = rng.standard_normal((rows, cells + 2)).astype(np.float32)
    return cv2.resize(grid, (width, height), interpolation=cv2.INTER_CUBIC)


def texture(rng, width, height):
    """Falls off towards the pixel's scale as photographs do; hard edges on top."""
    picture = np.zeros((height, width, 3), np.float32)
    cells, weight = 5, 1.0
    while cells < width // 2:
        grey = cloud(rng, width, height, cells)
        tint = np.dstack([cloud(rng, width, height, cells) for _ in range(3)])
        picture += weight * (grey[..., None] + 0.3 * tint)
        cells, weight = cells * 4, weight * 0.55
    picture = 0.5 + (picture - picture.mean()) / (6.5 * picture.std())
    for _ in range(220):
        colour = tuple(float(c) for c in rng.uniform(0.06, 0.94, 3))
        x, y = int(rng.integers(width)), int(rng.integers(height))
        size = int(rng.integers(width // 220, width // 45))
        box = ((x, y), (size * 2, size), float(rng.uniform(0, 180)))
        if rng.random() < 0.5:
            cv2.fillPoly(picture, [cv2.boxPoints(box).astype(np.int32)], colour, cv2.LINE_AA)
        else:
            cv2.ellipse(picture, box, colour, -1, cv2.LINE_AA)
    return cv2.GaussianBlur(np.clip(picture, 0, 1), (0, 0), 0.8)


def steps_and_slopes(rng, width, height):
    """A ground that rises, with a dome and a slab before it."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    depth = 1 - 0.3 * y / height
    radius = np.hypot(x - width * 0.45, y - height * 0.5) / (height * 0.4)
    dome = 0.65 - 0.6 * np.sqrt(np.clip(1 - radius * radius, 0, 1))
    depth = np.where(radius < 1, dome, depth)
    turn = rng.uniform(0, np.pi)
    along = (x - width * 0.75) * np.cos(turn) + (y - height * 0.5) * np.sin(turn)
    across = (y - height * 0.5) * np.cos(turn) - (x - width * 0.75) * np.sin(turn)
    slab = (np.abs(along) < height * 0.16) & (np.abs(across) < height * 0.25)
    return np.where(slab, 0.35 + 0.2 * across / height, depth).astype(np.float32)


def add_lights(rng, picture):
    """In linear light, so that out of focus they are discs."""
    height, width = picture.shape[:2]
    for _ in range(LIGHTS):
        at = (int(rng.integers(width)), int(rng.integers(height)))
        cv2.circle(picture, at, max(1, width // 900), (1.6, 1.6, 1.6), -1, cv2.LINE_AA)


def wires(rng, width, height):
    """Colour and cover of a layer at the very front."""
    cover = np.zeros((height, width), np.float32)
    colour = np.zeros((height, width, 3), np.float32)
    for _ in range(WIRES):
        ends = [(int(rng.integers(width)), int(rng.integers(height))) for _ in range(2)]
        thick = max(2, width // 500)
        cv2.line(cover, *ends, 1.0, thick, cv2.LINE_AA)
        cv2.line(colour, *ends, tuple(rng.uniform(0, 1, 3)), thick + 4)
    return colour, cover


def blurred(picture, sigma):
    return picture if sigma < 0.3 else cv2.GaussianBlur(picture, (0, 0), sigma)


def defocus(picture, depth, focus, given, levels):
    """levels are the scene blurred by growing sigmas; each pixel is mixed of two."""
    field = 0.45 / (given.frames - 1) if given.frames > 1 else 1
    sigma = np.maximum(0, np.abs(depth - focus) - field) * 12 * given.blur
    sigma *= given.width / 4656
    out = np.zeros_like(picture)
    for (low, a), (high, b) in zip(levels, levels[1:]):
        mask = (sigma >= low) & (sigma < high)
        part = np.where(mask, (sigma - low) / (high - low), 0)[..., None]
        out += mask[..., None] * (a * (1 - part) + b * part)
    return out


def warp_of(rng, given, i):
    middle = given.frames // 2
    scale = 1 + given.breathing * (i - middle)
    turn = np.radians(rng.uniform(-0.5, 0.5)) if given.scene == "turned" else 0
    shift = rng.uniform(-1, 1, 2) * given.shift * given.width / 4656
    if i == middle:
        turn, shift = 0, (0, 0)
    c, s = scale * np.cos(turn), scale * np.sin(turn)
    x, y = (given.width - 1) / 2, (given.height - 1) / 2
    return np.array([[c, -s, x - c * x + s * y + shift[0]],
                     [s, c, y - s * x - c * y + shift[1]]])


def scene(rng, given):
    size = given.width, given.height
    picture = texture(rng, *size)
    if given.scene == "flat":
        picture = 0.5 + 0.02 * (picture - 0.5)
    if given.scene == "empty":
        picture = np.full_like(picture, 0.5)
    if given.scene == "highlights":
        add_lights(rng, picture)
    front = wires(rng, *size) if given.scene == "thin" else None
    return picture, steps_and_slopes(rng, *size), front


def lay_over(picture, front, sigma):
    if front is None:
        return picture
    colour, cover = front
    cover = cover[..., None]
    light, veil = blurred(colour * cover, sigma), blurred(cover[..., 0], sigma)[..., None]
    return light + picture * (1 - veil)


def main():
    given = arguments()
    rng = np.random.default_rng(given.seed)
    os.makedirs(given.folder, exist_ok=True)
    picture, depth, front = scene(rng, given)
    if given.scene == "highlights":
        picture = picture ** GAMMA
    sigmas = [0] + [0.45 * 1.45 ** i for i in range(14)]
    levels = [(s, blurred(picture, s)) for s in sigmas]
    noise = {"noisy": 0.04}.get(given.scene, 0.006)
    warps = []
    middle = given.frames // 2
    for i in range(given.frames):
        focus = i / (given.frames - 1) if given.frames > 1 else 0
        frame = defocus(picture, depth, focus, given, levels)
        frame = lay_over(frame, front, focus * 12 * given.blur * given.width / 4656)
        if given.scene == "highlights":
            frame = np.clip(frame, 0, 1) ** (1 / GAMMA)
        if given.scene == "exposure" and i != middle:
            frame = frame * rng.uniform(0.9, 1.1)
        warps.append(warp_of(rng, given, i))
        frame = cv2.warpAffine(frame, warps[-1], (given.width, given.height),
                               flags=cv2.INTER_LANCZOS4, borderMode=cv2.BORDER_REFLECT)
        frame += rng.normal(0, noise, frame.shape).astype(np.float32)
        save(given, f"fs{i:02d}.jpg", frame)
    truth = lay_over(picture, front, 0)
    if given.scene == "highlights":
        truth = np.clip(truth, 0, 1) ** (1 / GAMMA)
    save(given, "truth.png", truth)
    save(given, "depth.png", depth)
    with open(os.path.join(given.folder, "warps.json"), "w", encoding="ascii") as file:
        json.dump([w.tolist() for w in warps], file)


def save(given, name, picture):
    cv2.imwrite(os.path.join(given.folder, name),
                (np.clip(picture, 0, 1) * 255 + 0.5).astype(np.uint8),
                [cv2.IMWRITE_JPEG_QUALITY, 95])


main()
