"""SQLite: opening, migrations, and the ledger kept in it. No rule of retrying or routing."""
