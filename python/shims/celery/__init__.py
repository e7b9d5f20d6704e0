"""Names of Celery that Pixyz scripts import: not Celery.

Scripts written for the Celery-based scheduler say `from celery import chain` and mean the canvases of `pixyz_execute`.
This
package gives them ours. It is NOT Celery: there is no `Celery` application, no broker, no worker, no `shared_task`, no
settings,
no signals, no beat, no result backend, and tasks other than `pixyz_execute` cannot be sent. Whoever needs the real one
in a
script imports it in a process of its own, started without this folder on its path.

Where it stands: on a worker before site-packages (`PYTHONPATH`), so it wins over an installed Celery, because scripts
hand our
tasks to these names. In local mode it is put last on the path, and only where no Celery is installed.
"""

from pixyz_worker._canvas import chain, chord, chunks, group

__all__ = ["chain", "chord", "chunks", "group"]
__version__ = "0.0.0+pixyz"
