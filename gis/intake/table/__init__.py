"""The parts of a coordinate table: cells of CSV and workbooks, headings, titles, rows, plots.

The front is :mod:`gis.intake.tables`.
"""
