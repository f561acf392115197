"""From a domain event to a message that somebody reads."""
