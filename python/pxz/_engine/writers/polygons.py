"""PLY (binary, vertex colours) and OFF, in millimetres, Z up."""

from __future__ import annotations

import numpy as np

from ..errors import WriteError
from ..meshmath import linear_to_srgb
from .flat import Y_UP_M_TO_Z_UP_MM, Scene, corner_colors


def write(scene: Scene, path: str) -> None:
    """Write the whole scene as one mesh (or point cloud)."""
    points, faces, colors, count = [], [], [], 0
    for _, primitive in scene.placed(Y_UP_M_TO_Z_UP_MM):
        points.append(primitive.positions)
        faces.append(primitive.triangles.astype(np.int64) + count)
        linear = corner_colors(primitive)
        colors.append(np.column_stack([linear_to_srgb(linear[:, :3]), linear[:, 3]]))
        count += len(primitive.positions)
    vertices, triangles = np.concatenate(points), np.concatenate(faces)
    rgba = np.round(np.concatenate(colors) * 255).astype(np.uint8)
    if path.lower().endswith(".off"):
        if not len(triangles):
            raise WriteError("OFF holds triangles only, and the scene has only points; export PLY or GLB")
        with open(path, "w", encoding="ascii") as file:
            file.write(f"OFF\n{len(vertices)} {len(triangles)} 0\n")
            np.savetxt(file, vertices, "%.7g")
            np.savetxt(file, np.column_stack([np.full(len(triangles), 3), triangles]), "%d")
        return
    header = [
        "ply",
        "format binary_little_endian 1.0",
        "comment open pxz, millimetres, Z up",
        f"element vertex {len(vertices)}",
    ]
    header += [f"property float {axis}" for axis in "xyz"] + [
        f"property uchar {c}" for c in ("red", "green", "blue", "alpha")
    ]
    if len(triangles):
        header += [f"element face {len(triangles)}", "property list uchar int vertex_indices"]
    rows = np.zeros(len(vertices), [("p", "<f4", 3), ("c", "u1", 4)])
    rows["p"], rows["c"] = vertices, rgba
    lists = np.zeros(len(triangles), [("n", "u1"), ("v", "<i4", 3)])
    lists["n"], lists["v"] = 3, triangles
    with open(path, "wb") as file:
        file.write("\n".join([*header, "end_header\n"]).encode())
        file.write(rows.tobytes())
        file.write(lists.tobytes())
