"""Light, occlusion and edges for the pixels that were hit. Everything is in camera space: x right, y up, z away from
the eye.

The look aims at product pictures: a soft studio (bright sky, darker ground), a key light over the left shoulder, a weak
fill, contact shadows from the depth image, and edges drawn a little darker where surfaces meet or end.
"""

from __future__ import annotations

import numpy as np

from ..model import FloatArray, IntArray
from .soup import Pyramid

OCCLUSION_RADII = (0.006, 0.02, 0.05)
"""As parts of the picture's height: creases, gaps, cavities."""
DIRECTIONS = 4
"""Per sample; see `occlusion` for how samples share the work."""


def _toward(*direction: float) -> FloatArray:
    vector = np.array(direction, np.float32)
    result: FloatArray = vector / np.linalg.norm(vector)
    return result


KEY, FILL, RIM = _toward(-0.45, 0.75, -0.65), _toward(0.8, 0.1, -0.5), _toward(0.2, 0.7, 0.7)


def sample(levels: Pyramid, uv: FloatArray, lod: FloatArray) -> FloatArray:
    """(h,4) bilinear samples of a texture at `uv` (h,2), V down, repeating; `lod` (h,) picks the size: 0 full, 1 half
    ...
    """
    result = np.empty((len(uv), 4), np.float32)
    chosen = np.clip(np.round(lod), 0, len(levels) - 1).astype(int)
    for level in np.unique(chosen):
        rows = np.flatnonzero(chosen == level)
        pixels = levels[level]
        high, wide = pixels.shape[:2]
        x, y = (uv[rows, 0] % 1) * wide - 0.5, (uv[rows, 1] % 1) * high - 0.5
        left, top = np.floor(x).astype(int), np.floor(y).astype(int)
        fx, fy = (x - left)[:, None], (y - top)[:, None]
        upper = pixels[top % high, left % wide] * (1 - fx) + pixels[top % high, (left + 1) % wide] * fx
        lower = pixels[(top + 1) % high, left % wide] * (1 - fx) + pixels[(top + 1) % high, (left + 1) % wide] * fx
        result[rows] = upper * (1 - fy) + lower * fy
    return result


def light(
    color: FloatArray,
    normal: FloatArray,
    eye: FloatArray,
    up: FloatArray,
    metallic: FloatArray,
    roughness: FloatArray,
    open_: FloatArray,
) -> FloatArray:
    """(h,3) linear light from surfaces: `color` (h,3), unit `normal`, unit `eye` towards the camera, world `up` in
    camera space.

    `metallic`, `roughness`, `open_` (how much of the sky is not blocked, 0..1): (h,1).
    """
    sky, ground = np.array([0.40, 0.41, 0.435], np.float32), np.array([0.13, 0.125, 0.12], np.float32)
    facing = 0.5 + 0.5 * (normal @ up)[:, None]
    ambient = facing * sky + (1 - facing) * ground
    key = np.clip(normal @ KEY, 0, None)[:, None]
    fill = np.clip(normal @ FILL, 0, None)[:, None]
    diffuse = color * (1 - 0.85 * metallic) * (ambient * open_ + 0.80 * key * (0.5 + 0.5 * open_) + 0.18 * fill)

    aim = np.clip((normal * eye).sum(1, keepdims=True), 0, 1)
    mirrored = 2 * aim * normal - eye
    base = 0.04 * (1 - metallic) + color * metallic
    fresnel = base + (np.maximum(1 - roughness, base) - base) * (1 - aim) ** 5
    height = (mirrored @ up)[:, None]
    # the studio as a mirror sees it: dark floor, a bright band above the horizon that rough surfaces blur
    band = 1 / (1 + np.exp(-(height - 0.05) / (0.06 + 0.5 * roughness)))
    studio = 0.16 + 0.74 * band
    power = 2 / np.maximum(roughness, 0.12) ** 3
    strength = 0.35 + 0.9 * (1 - roughness)
    glint = sum(
        weight * np.clip((mirrored @ lamp)[:, None], 0, 1) ** power
        for weight, lamp in ((1.0, KEY), (0.35, FILL), (0.4, RIM))
    )
    result: FloatArray = diffuse + (fresnel * studio + (base + 0.02) * glint * strength * 1.6) * (0.35 + 0.65 * open_)
    return result


def neighbours(hit: IntArray, shape: tuple[int, int], dx: int, dy: int) -> tuple[IntArray, IntArray]:
    """For pixels `hit` (flat numbers): which of them have a neighbour at (dx, dy) inside the picture, and its flat
    number.
    """
    height, width = shape
    column, row = hit % width + dx, hit // width + dy
    inside = np.flatnonzero((column >= 0) & (column < width) & (row >= 0) & (row < height))
    return inside, row[inside] * width + column[inside]


def occlusion(
    hit: IntArray,
    shape: tuple[int, int],
    order: IntArray,
    places: FloatArray,
    normals: FloatArray,
    pixel: FloatArray,
    factor: int,
) -> FloatArray:
    """(h,) share of open sky over each hit pixel, from the depth image.

    `order` (height·width,): position of each pixel among `hit`, -1 for background. `places`, `normals` (h,3) camera
    space, `pixel` (h,) world size of a pixel there. The factor² samples of an output pixel look in different directions
    and at different distances: averaging them down gives many more looks than one sample takes, without noise or bands.
    """
    height, width = shape
    kinds = factor * factor
    kind = (hit // width % factor) * factor + hit % width % factor
    total = np.zeros(len(hit), np.float32)
    for k in range(kinds):
        mine = np.flatnonzero(kind == k)
        for ring, part in enumerate(OCCLUSION_RADII):
            radius = max(1.5, part * height * (0.6 + 0.8 * ((k * 2 + ring) % kinds) / kinds))
            for step in range(DIRECTIONS):
                angle = (step + (k + 0.37 * ring) / kinds) * 2 * np.pi / DIRECTIONS
                dx, dy = round(radius * np.cos(angle)), round(radius * np.sin(angle))
                inside, flat = neighbours(hit[mine], shape, dx, dy)
                other = order[flat]
                rows, other = mine[inside[other >= 0]], other[other >= 0]
                offset = places[other] - places[rows]
                reach = radius * pixel[rows]
                above = np.einsum("ij,ij->i", offset, normals[rows]) / reach
                far = np.sqrt(np.einsum("ij,ij->i", offset, offset)) / reach
                total[rows] += np.clip(above - 0.06, 0, 1) * np.clip(1.6 - 0.4 * far, 0, 1)
    share = total / (DIRECTIONS * len(OCCLUSION_RADII))
    result: FloatArray = np.clip(1 - 2.4 * share, 0.15, 1)
    return result


def edges(
    hit: IntArray, shape: tuple[int, int], order: IntArray, places: FloatArray, normals: FloatArray, pixel: FloatArray
) -> FloatArray:
    """(h,) strength 0..1 of drawn edges: where the normal turns sharply, or the surface jumps off its own plane."""
    strength = np.zeros(len(hit), np.float32)
    for dx, dy in ((1, 0), (0, 1)):
        rows, flat = neighbours(hit, shape, dx, dy)
        other = order[flat]
        rows, other = rows[other >= 0], other[other >= 0]
        bend = 1 - np.einsum("ij,ij->i", normals[rows], normals[other])
        offset = places[other] - places[rows]
        off_plane = np.minimum(
            np.abs(np.einsum("ij,ij->i", offset, normals[rows])), np.abs(np.einsum("ij,ij->i", offset, normals[other]))
        )
        mark = np.maximum(np.clip((bend - 0.12) * 3, 0, 1), np.clip(off_plane / pixel[rows] / 6 - 0.5, 0, 1))
        # the farther side of a jump carries the mark, so that silhouettes of thin parts stay bright
        farther = np.where(offset[:, 2] > 0, other, rows)
        np.maximum.at(strength, farther, mark.astype(np.float32))
    return strength
