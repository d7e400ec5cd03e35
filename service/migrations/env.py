"""What alembic runs: migrates the connection that `service.log.schema.upgrade` hands over, in its transaction."""

from __future__ import annotations

from alembic import context

from service.log.schema import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata, transactional_ddl=True)
context.run_migrations()
