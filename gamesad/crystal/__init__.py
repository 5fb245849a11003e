"""Crystal Core: the segment in shared memory that holds what the machine does, did, and what gamesad thinks of it."""
