"""Inside of the open `pxz` module. Scripts import `pxz` and its seven modules, never this package.

Layers, each may import only those above it:

    errors                         no imports of ours
    model, meshmath, textures      the scene in memory (metres, Y up) and array helpers
    readers, writers, raster       files and pictures; know the model, not the session
    counts, decimate, merge, cad   operations on the model
    session                        current scene and the integer ids that scripts see
"""
