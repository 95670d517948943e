"""Programs that the cases start."""
