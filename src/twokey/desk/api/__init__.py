"""The desk over HTTP: authentication on by default, scoped tokens, one problem format, one idempotency rule."""
