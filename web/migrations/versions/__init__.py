"""One file a version; their order is the chain of `down_revision`."""
