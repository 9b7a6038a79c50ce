"""One module, one sub-command; each offers `command`."""
