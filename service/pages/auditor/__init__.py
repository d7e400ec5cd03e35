"""What auditors see: the log searched, one entry with its proof, replay, models, responses, looks, export."""
