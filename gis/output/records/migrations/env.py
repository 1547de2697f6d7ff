"""How does alembic reach the records? By the connection that ``schema.migrate`` has opened."""

from alembic import context

context.configure(connection=context.config.attributes["connection"])
context.run_migrations()
