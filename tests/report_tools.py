"""What the tests of reports share: a check as a document, and readers of PDF and DOCX by others."""

from __future__ import annotations

import io
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest


def program(name: str) -> str:
    """Path of a program; missing is a failure where all is required."""
    found = shutil.which(name)
    if found:
        return found
    if os.environ.get("WUQU_REQUIRE_ALL") == "1":
        pytest.fail(f"{name} is required here and was not found")
    pytest.skip(f"{name} is not installed")


def pdf_text(content: bytes, *options: str) -> str:
    """Text of a PDF as poppler reads it, in the order in which it was written."""
    command = [program("pdftotext"), "-raw", "-enc", "UTF-8", *options, "-", "-"]
    done = subprocess.run(command, input=content, capture_output=True, check=True)
    return done.stdout.decode("utf-8")


def pdf_pages(content: bytes) -> list[str]:
    """Text of each page."""
    return pdf_text(content).split("\f")[:-1]


def squeezed(text: str) -> str:
    """Text without blanks, line ends and invisible break marks, which a writer may put anywhere."""
    return re.sub(r"[\s\u200b\u00ad]", "", text)


def docx_text(content: bytes) -> str:
    """Text of a DOCX as python-docx reads it: paragraphs and cells in the order of the file."""
    import docx

    document = docx.Document(io.BytesIO(content))
    marks = document.element.body.iter(
        "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}t",
        "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}br",
    )
    return "".join(mark.text or "\n" for mark in marks)


def checked(plan, path: Path, use: str, as_of):
    """A site and the document of its check."""
    import gis

    site = gis.read_site(path, plan)
    return site, gis.to_dict(gis.check_site(site, plan, use=use, as_of=as_of))
