"""Batches that a service works off: laid down in the store of the records, done by processes.

``model`` says what a job is, ``store`` keeps jobs and hands out their pieces, ``fairness`` says
whose turn it is, ``reading`` finds the rows of an upload, ``work`` does a piece, ``results`` and
``reports`` write files, ``worker`` is the process that works, ``crew`` keeps workers running.
Nothing is imported here: settings need ``model`` alone.
"""
