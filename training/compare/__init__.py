"""Two models side by side: tables, and case by case."""
