"""OGC API Features and Processes for desktop programs, answered from the plan in use."""
