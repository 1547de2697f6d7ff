"""Who may do what over HTTP? Keys, roles, sign-in, limits, and the log of what was done.

The gate stands before every route: it finds the route in one table, who is asking, and whether that
role may; nothing behind it needs to know a key. What one caller may see of another's records is
asked in ``api.deps``, where records are fetched.
"""
