"""Reports on paper: one check, or a set of sites, as PDF or DOCX.

Shows what was checked; never measures, never judges, never touches the network. Needs the extra
``report`` (typst, python-docx) and no font of the system.
"""

from __future__ import annotations
