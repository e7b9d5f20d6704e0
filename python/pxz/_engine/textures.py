"""Pictures used as textures: decoding for the rasteriser, re-encoding to what glTF allows."""

from __future__ import annotations

import io

import numpy as np

from .meshmath import srgb_to_linear
from .model import FloatArray, Texture

ALLOWED = {"image/png": "png", "image/jpeg": "jpg", "image/webp": "webp"}
"""Mime types that glTF readers accept, with file extensions (WebP by EXT_texture_webp)."""


def sniff(data: bytes) -> str:
    """Mime type by the first bytes; what a file says about itself is often wrong (assimp: image/tga,
    application/octet-stream).
    """
    if data.startswith(b"\x89PNG"):
        return "image/png"
    if data.startswith(b"\xff\xd8"):
        return "image/jpeg"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    return "application/octet-stream"


def portable(texture: Texture) -> Texture | None:
    """The texture as PNG or JPEG: itself where it is one, re-encoded by Pillow otherwise, None where Pillow cannot read
    it.
    """
    mime = sniff(texture.data)
    if mime in ("image/png", "image/jpeg"):
        texture.mime = mime
        return texture
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(io.BytesIO(texture.data)) as picture:
            out = io.BytesIO()
            picture.convert("RGBA" if picture.mode in ("RGBA", "LA", "P", "PA") else "RGB").save(out, "PNG")
    except (UnidentifiedImageError, OSError, ValueError):
        return None
    return Texture(out.getvalue(), "image/png", texture.name, texture.sampler)


def linear_pixels(texture: Texture) -> FloatArray:
    """(h,w,4) float32 linear RGBA of an sRGB-encoded texture; a single white pixel where it cannot be decoded."""
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(io.BytesIO(texture.data)) as picture:
            raw = np.asarray(picture.convert("RGBA"))
    except (UnidentifiedImageError, OSError, ValueError):
        return np.ones((1, 1, 4), np.float32)
    table = srgb_to_linear(np.arange(256) / 255).astype(np.float32)
    pixels = np.empty(raw.shape, np.float32)
    pixels[..., :3] = table[raw[..., :3]]
    pixels[..., 3] = raw[..., 3] / np.float32(255)
    return pixels
