"""Many cases at once, by columns of codes: bit for bit what one case gives. The only place in `model/` with numpy."""
