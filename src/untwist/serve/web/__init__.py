"""The pages: rendered here, working without scripts, nothing loaded from elsewhere."""
