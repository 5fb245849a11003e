"""What the machine did: readings gathered once per tick, and their recent past."""
