"""What a practitioner did about a prompt: a closed list, an endpoint and a record."""
