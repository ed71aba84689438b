"""What an agent's provider does to an attempt: limits, outages, logins; and which agent is asked next (B1)."""
