"""The PostgreSQL schema, version by version: expand first, contract a release later."""
