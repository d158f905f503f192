"""What a person should know about the service and its records, for the page and notifications."""
