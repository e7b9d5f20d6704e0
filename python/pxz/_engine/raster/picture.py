"""From a soup and a camera to pixels: opaque pass, transparent layers over it, averaged down, sRGB with straight
alpha.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..meshmath import linear_to_srgb, unit
from ..model import FloatArray, IntArray
from . import shade
from .camera import Camera
from .soup import Soup
from .visibility import EMPTY, NUMBER, Keys, barycentrics, points, project, triangles

LAYERS = 4
"""Transparent surfaces drawn over each other at most."""
EDGE_DARKNESS = 0.42
EXPOSURE = 1.16


def supersampling(width: int, height: int) -> int:
    """Samples per pixel and axis: small pictures get more, because their edges show more."""
    return 3 if width * height <= 300 * 300 else 2


@dataclass
class _Hits:
    """Shading input at the pixels hit: flat numbers, camera-space places and normals, colour, and material rows."""

    at: IntArray
    place: FloatArray
    normal: FloatArray
    color: FloatArray
    metallic: FloatArray
    roughness: FloatArray
    emissive: FloatArray


def render(
    soup: Soup, camera: Camera, width: int, height: int, background: tuple[float, float, float] | None = None
) -> IntArray:
    """(height, width, 4) uint8 picture; transparent where nothing is, unless a `background` (sRGB, 0..1) is given."""
    factor = supersampling(width, height)
    wide, high = width * factor, height * factor
    color, alpha = _Picture(soup, camera, wide, high, factor).draw()
    picture = np.concatenate([color, alpha[..., None]], 2).reshape(height, factor, width, factor, 4).mean((1, 3))
    opacity = picture[..., 3:]
    rgb = picture[..., :3]
    if background is not None:
        rgb, opacity = rgb + (1 - opacity) * np.array(background), np.ones_like(opacity)
    else:
        rgb = rgb / np.maximum(opacity, 1e-6)
    result: IntArray = np.round(np.clip(np.concatenate([rgb, opacity], 2), 0, 1) * 255).astype(np.uint8)
    return result


class _Picture:
    """The passes over one view. Colours returned are sRGB, premultiplied by alpha."""

    def __init__(self, soup: Soup, camera: Camera, width: int, height: int, factor: int) -> None:
        self.soup, self.camera, self.width, self.height, self.factor = soup, camera, width, height, factor
        self.view, self.point_view = camera.view(soup.positions), camera.view(soup.points)
        depths = np.concatenate([self.view[:, 2], self.point_view[:, 2]])
        ahead = depths[depths > 0]
        near, far = (float(ahead.min()), float(ahead.max())) if len(ahead) else (1.0, 2.0)
        self.screen = project(self.view, camera.focal, width, height, near, far)
        self.point_screen = project(self.point_view, camera.focal, width, height, near, far)
        self.up = (camera.axes @ np.array([0, 1.0, 0]) * [1, 1, -1]).astype(np.float32)
        surfaces = soup.surfaces
        self.table = np.array([[s.metallic, s.roughness, *s.emissive, s.cutoff] for s in surfaces], np.float32)
        self.normals = soup.normals @ camera.axes.T.astype(np.float32) * np.array([1, 1, -1], np.float32)

    def draw(self) -> tuple[FloatArray, FloatArray]:
        """(height, width, 3) colour and (height, width) alpha."""
        soup = self.soup
        see_through = np.array([s.blends for s in soup.surfaces])[soup.surface]
        solid = np.flatnonzero(~see_through)
        keys = self._renumbered(triangles(self.screen, soup.triangles[solid]), solid)
        if len(soup.points):
            keys = points(self.point_screen, self._point_radius(), keys)
        color = np.zeros((self.height * self.width, 3), np.float32)
        alpha = np.zeros(self.height * self.width, np.float32)
        hits = self._hits(keys)
        if len(hits.at):
            color[hits.at] = self._shaded(hits, details=True)
            alpha[hits.at] = 1
        if see_through.any():
            self._layers(np.flatnonzero(see_through), keys, color, alpha)
        return color.reshape(self.height, self.width, 3), alpha.reshape(self.height, self.width)

    def _layers(self, faces: IntArray, solid: Keys, color: FloatArray, alpha: FloatArray) -> None:
        """Peel transparent surfaces off front to back, and lay them over what is behind."""
        front, through = np.zeros_like(color), np.ones_like(alpha)
        last = np.zeros(len(solid), np.uint64)
        for layer in range(LAYERS):
            found = triangles(self.screen, self.soup.triangles[faces], last if layer else np.zeros_like(last), solid)
            if (found == EMPTY).all():
                break
            hits = self._hits(self._renumbered(found, faces))
            shaded = self._shaded(hits, details=False)
            opacity = np.clip(hits.color[:, 3], 0, 1)
            cutoff = self.table[self._surface_of(self._renumbered(found, faces)[hits.at]), 5]
            opacity = np.where(cutoff >= 0, opacity >= cutoff, opacity).astype(np.float32)
            front[hits.at] += shaded * (opacity * through[hits.at])[:, None]
            through[hits.at] *= 1 - opacity
            last = np.where(found == EMPTY, last, found)
        color *= through[:, None]
        color += front
        alpha *= through
        alpha += 1 - through

    def _renumbered(self, keys: Keys, faces: IntArray) -> Keys:
        """Keys whose numbers count among `faces`, as keys of the soup's triangles."""
        result = keys.copy()
        hit = np.flatnonzero(keys != EMPTY)
        numbers = faces[(keys[hit] & NUMBER).astype(np.int64)] if len(hit) else np.zeros(0, np.int64)
        result[hit] = (keys[hit] & ~NUMBER) | numbers.astype(np.uint64)
        return result

    def _surface_of(self, keys: Keys) -> IntArray:
        return self.soup.surface[(keys & NUMBER).astype(np.int64)]

    def _point_radius(self) -> FloatArray:
        """Pixels: discs that about touch where the points were spread evenly over the box they fill, smaller farther
        away.
        """
        spread_x = float(np.ptp(self.point_screen.x)) + 1
        spread_y = float(np.ptp(self.point_screen.y)) + 1
        mean = 0.62 * (spread_x * spread_y / max(1, len(self.soup.points))) ** 0.5
        relative = self.point_screen.inverse / np.median(self.point_screen.inverse)
        result: FloatArray = np.clip(mean * relative, 0.8, 0.02 * self.height)
        return result

    def _hits(self, keys: Keys) -> _Hits:
        """Interpolate everything at the pixels that show something."""
        soup = self.soup
        at = np.flatnonzero(keys != EMPTY)
        number = (keys[at] & NUMBER).astype(np.int64)
        is_point = number >= 1 << 31
        tri_rows, point_rows = np.flatnonzero(~is_point), np.flatnonzero(is_point)
        place = np.empty((len(at), 3), np.float32)
        normal, color = np.empty_like(place), np.empty((len(at), 4), np.float32)
        table = np.tile(np.array([0, 0.9, 0, 0, 0, -1], np.float32), (len(at), 1))
        if len(tri_rows):
            t = number[tri_rows]
            corners = soup.triangles[t]
            weights = barycentrics(self.screen, corners, at[tri_rows])

            def blend(values: FloatArray) -> FloatArray:
                result: FloatArray = np.einsum("ij,ijk->ik", weights, values[corners])
                return result

            place[tri_rows] = blend(self.view)
            smooth = blend(self.normals)
            flat = np.cross(
                self.view[corners[:, 1]] - self.view[corners[:, 0]], self.view[corners[:, 2]] - self.view[corners[:, 0]]
            )
            normal[tri_rows] = np.where((np.abs(smooth).sum(1) > 1e-6)[:, None], smooth, flat)
            color[tri_rows] = blend(soup.colors)
            table[tri_rows] = self.table[soup.surface[t]]
            self._texture(t, corners, blend(soup.uv), tri_rows, color)
        if len(point_rows):
            p = number[point_rows] - (1 << 31)
            place[point_rows] = self.point_view[p]
            normal[point_rows] = -self.point_view[p]
            color[point_rows] = soup.point_colors[p]
        normal = unit(normal).astype(np.float32)
        away = (normal * place).sum(1) > 0
        normal[away] *= -1  # both sides are drawn: scans and open shells have no inside
        return _Hits(at, place, normal, color, table[:, :1], table[:, 1:2], table[:, 2:5])

    def _texture(self, t: IntArray, corners: IntArray, uv: FloatArray, rows: IntArray, color: FloatArray) -> None:
        """Multiply texture colours in, at the mip level where a texel is about a pixel."""
        surface = self.soup.surface[t]
        for number in np.unique(surface):
            levels = self.soup.surfaces[number].texture
            if levels is None:
                continue
            mine = np.flatnonzero(surface == number)
            c = corners[mine]
            q, x, y = self.soup.uv[c].astype(float), self.screen.x[c], self.screen.y[c]
            texels = np.abs(
                (q[:, 1] - q[:, 0])[:, 0] * (q[:, 2] - q[:, 0])[:, 1]
                - (q[:, 2] - q[:, 0])[:, 0] * (q[:, 1] - q[:, 0])[:, 1]
            )
            texels *= levels[0].shape[0] * levels[0].shape[1]
            pixels = np.abs((x[:, 1] - x[:, 0]) * (y[:, 2] - y[:, 0]) - (x[:, 2] - x[:, 0]) * (y[:, 1] - y[:, 0]))
            lod = 0.5 * np.log2(np.maximum(texels, 1e-12) / np.maximum(pixels, 1e-12)) - 0.25
            color[rows[mine]] *= shade.sample(levels, uv[mine], lod)

    def _shaded(self, hits: _Hits, details: bool) -> FloatArray:
        """(h,3) sRGB of hit pixels; `details`: with occlusion and edges, which need a picture without holes."""
        shape = (self.height, self.width)
        pixel = (hits.place[:, 2] * (2 / (self.camera.focal * self.height))).astype(np.float32)
        open_sky = np.ones((len(hits.at), 1), np.float32)
        dark = np.zeros((len(hits.at), 1), np.float32)
        if details:
            order = np.full(self.height * self.width, -1, np.int64)
            order[hits.at] = np.arange(len(hits.at))
            open_sky = shade.occlusion(hits.at, shape, order, hits.place, hits.normal, pixel, self.factor)[:, None]
            if not len(self.soup.points):
                dark = shade.edges(hits.at, shape, order, hits.place, hits.normal, pixel)[:, None]
        eye = unit(-hits.place).astype(np.float32)
        rgb = shade.light(hits.color[:, :3], hits.normal, eye, self.up, hits.metallic, hits.roughness, open_sky)
        rgb = (rgb + hits.emissive) * (1 - EDGE_DARKNESS * dark) * EXPOSURE
        return linear_to_srgb(_rolled_off(rgb)).astype(np.float32)


def _rolled_off(rgb: FloatArray) -> FloatArray:
    """Compress highlights above 0.8 softly towards 1, instead of clipping them to flat white."""
    over = np.maximum(rgb - 0.8, 0)
    result: FloatArray = np.minimum(rgb, 0.8) + 0.2 * (1 - np.exp(-over / 0.2))
    return result
