"""The store on disk: the contract of every store, and what only a disk can do."""
