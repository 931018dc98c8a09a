"""What kinds of facts share: phases, accepted iterates, scales, curvature from the path."""
