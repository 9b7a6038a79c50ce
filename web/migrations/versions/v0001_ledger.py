"""The ledger: entries that are never changed, streams with their tips, one head."""

from alembic import op

revision = "0001"
down_revision = None

_TABLES = [
    """CREATE TABLE stream (sid bigint PRIMARY KEY, name text NOT NULL UNIQUE,
        height bigint NOT NULL, prev text NOT NULL, barrier bigint NOT NULL)""",
    """CREATE TABLE entry (idx bigint PRIMARY KEY, sid bigint NOT NULL REFERENCES stream (sid),
        height bigint NOT NULL, id text NOT NULL UNIQUE, leaf bytea NOT NULL, salt bytea,
        raw bytea, UNIQUE (sid, height))""",
    """CREATE TABLE head (one integer PRIMARY KEY CHECK (one = 1), size bigint NOT NULL,
        root bytea NOT NULL, at timestamptz NOT NULL, note text NOT NULL)""",
    "INSERT INTO head VALUES (1, 0, '', 'epoch', '')",
    "CREATE TABLE cosigned (n bigint PRIMARY KEY, size bigint NOT NULL, note text NOT NULL)",
    "CREATE TABLE follower (name text PRIMARY KEY, cursor bigint NOT NULL)",
    "CREATE TABLE claim (name text PRIMARY KEY)",
    "CREATE TABLE nonce (name text PRIMARY KEY, until timestamptz NOT NULL)",
    "CREATE INDEX nonce_until ON nonce (until)",
]
_GUARDS = [
    """CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION 'the ledger is never changed'; END $$""",
    """CREATE TRIGGER entry_kept BEFORE DELETE OR TRUNCATE ON entry
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()""",
    """CREATE TRIGGER entry_unchanged BEFORE UPDATE ON entry FOR EACH ROW
        WHEN (NEW.salt IS NOT NULL OR NEW.raw IS NOT NULL
              OR (NEW.leaf, NEW.idx, NEW.sid, NEW.height, NEW.id)
                 IS DISTINCT FROM (OLD.leaf, OLD.idx, OLD.sid, OLD.height, OLD.id))
        EXECUTE FUNCTION refuse_change()""",
    """CREATE TRIGGER cosigned_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON cosigned
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()""",
    """CREATE TRIGGER claim_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON claim
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()""",
]


def upgrade() -> None:
    for statement in [*_TABLES, *_GUARDS]:
        op.execute(statement)
