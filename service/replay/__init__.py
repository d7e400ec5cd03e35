"""Replay: works out each logged answer again from its logged input and the archived model, and compares the bytes."""
