"""The next run against an incident: what its predictions said, and what the new log shows."""
