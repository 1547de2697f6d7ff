"""The parts of KML: XML within limits, geometries, folders and Placemarks.

The front is :mod:`gis.intake.kml`.
"""
