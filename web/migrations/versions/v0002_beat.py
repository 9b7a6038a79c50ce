"""Signs of life: when any node of the centre was last at work. An older node leaves none."""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.execute(
        "CREATE TABLE beat (one integer PRIMARY KEY CHECK (one = 1), at timestamptz NOT NULL)"
    )
