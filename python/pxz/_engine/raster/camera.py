"""A perspective camera that looks along a direction and holds every vertex in its frame."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..model import FloatArray

MARGIN = 1.06
"""Free border: the fitted object covers 1/1.06 of the frame's tighter side."""


@dataclass
class Camera:
    """`axes` rows: right, up, towards the eye (world space, Y up). `eye` in metres, `fov` vertical in degrees, `aspect`
    width / height.
    """

    axes: FloatArray
    eye: FloatArray
    fov: float
    aspect: float

    @property
    def focal(self) -> float:
        """Distance to the image plane in units of half its height."""
        return float(1 / np.tan(np.radians(self.fov) / 2))

    def view(self, points: FloatArray) -> FloatArray:
        """(n,3) points in camera space: x right, y up, z the distance in front of the eye."""
        local = (points - self.eye) @ self.axes.T
        local[:, 2] *= -1
        return local


def axes_along(direction: FloatArray) -> FloatArray:
    """Camera axes for looking along `direction`; straight up or down, -Z (or Z) is at the top of the picture."""
    towards = -np.asarray(direction, float)
    length = np.linalg.norm(towards)
    if not np.isfinite(length) or length == 0:
        raise ValueError("the view direction must not be (0, 0, 0)")
    towards /= length
    up = np.array([0, 1.0, 0]) if abs(towards[1]) < 0.999 else np.array([0, 0, -np.sign(towards[1])])
    right = np.cross(up, towards)
    right /= np.linalg.norm(right)
    return np.stack([right, np.cross(towards, right), towards])


def fit(points: FloatArray, direction: FloatArray, fov: float, aspect: float, margin: float = MARGIN) -> Camera:
    """The nearest camera looking along `direction` that has all `points` (n,3) in frame, centred.

    Perspective moves the projected centre with the distance, so centring and fitting alternate until they settle.
    """
    axes = axes_along(direction)
    center = (points.min(0) + points.max(0)) / 2
    local = (points - center) @ axes.T
    focal = margin / np.tan(np.radians(fov) / 2)
    size = float(np.ptp(points, axis=0).max()) or 1e-6

    def distance(moved: FloatArray) -> float:
        wide = (np.abs(moved[:, 0]) * focal / aspect + moved[:, 2]).max()
        high = (np.abs(moved[:, 1]) * focal + moved[:, 2]).max()
        # never closer than a little in front of the foremost vertex, so that nothing meets the eye
        return max(float(wide), float(high), float(moved[:, 2].max()) + 0.05 * size)

    shift = np.zeros(3)
    away = distance(local)
    for _ in range(8):
        moved = local - shift
        depth = away - moved[:, 2]
        x, y = moved[:, 0] / depth, moved[:, 1] / depth
        step = np.array([(x.max() + x.min()) / 2, (y.max() + y.min()) / 2, 0]) * away * 0.9
        shift = shift + step
        away = distance(local - shift)
        if np.abs(step).max() < 1e-4 * size:
            break
    eye = center + (shift + np.array([0, 0, away])) @ axes
    return Camera(axes, eye, fov, aspect)
