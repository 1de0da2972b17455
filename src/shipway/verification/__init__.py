"""What must be true after a deploy: checks as data, what an answer means, results. No I/O."""
