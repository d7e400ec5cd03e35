"""How far today's cases differ from those the live model was trained on, from the log's newest screenings."""
