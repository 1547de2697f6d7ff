"""Behind ``gis.plan.balance``: the ground divided, the share, the printed table, the files."""
