"""Behind budgets, impact, booking and reservations: what land there is, and who holds it."""
