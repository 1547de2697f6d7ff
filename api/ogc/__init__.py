"""OGC API Features and Processes for desktop programs, answered by pygeoapi from the plan in use."""
