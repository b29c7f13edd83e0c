"""Who asked, who decided, what is left: parties, cases, ledger and audit on PostgreSQL."""
