"""What all schedulers share: requests, the waiting queue, token budget and groups."""
