"""Software rasteriser: pictures without a GPU, without a window system, with numpy alone.

`soup` flattens a scene to arrays, `camera` frames it, `visibility` finds the nearest triangle of each pixel, `shade`
lights it, `picture` puts the passes together and averages them down.
"""
