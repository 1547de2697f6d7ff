"""The commands of ``wuqu``: one file for each group; ``gis.cli`` gathers them.

Libraries are imported inside the commands, so that ``wuqu --help`` is quick.
"""
