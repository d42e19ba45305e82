#!/usr/bin/python3
"""A picture of a QR code, as a JPEG to be held before the simulated camera.

    qr_picture.py TEXT PICTURE [inverted]

TEXT is a file with what the code says.  Needs qrencode and cjpeg.
"""
import subprocess
import sys

SCALE = 16

rows = subprocess.run(["qrencode", "-r", sys.argv[1], "-t", "ASCII", "-m", "4", "-o", "-"],
                      check=True, capture_output=True, text=True).stdout.splitlines()
dark, light = (255, 0) if "inverted" in sys.argv else (0, 255)
pixels = bytearray()
for row in rows:
    line = b"".join(bytes([dark if row[i] == "#" else light]) * SCALE
                    for i in range(0, len(row), 2))
    pixels += line * SCALE
size = f"{len(rows[0]) // 2 * SCALE} {len(rows) * SCALE}"
with open(sys.argv[2], "wb") as picture:
    subprocess.run(["cjpeg", "-quality", "90"], check=True, stdout=picture,
                   input=f"P5\n{size}\n255\n".encode() + pixels)
