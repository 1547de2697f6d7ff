"""Files that need GDAL or SQLite, met in a child process that can be killed; and zips."""
