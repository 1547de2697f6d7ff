"""How does the list of a bureau become the register: headings, rows, values, merging, writing."""
