"""What joins memd to coding agents: their sessions' way in and out, and what is written into their files."""
