"""The register of projects: what it says, whether it can be right, and how its projects stand.

Reads ``projects.csv`` of a plan package, checks every project by the same ``check_site`` as any
other site, and books them in order against what is left of the scarce land.
"""
