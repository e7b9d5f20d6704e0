"""Script SDK of the Pixyz scheduler."""
