"""What a round does beside the mean of all learners, where an aggregation asks for it."""
