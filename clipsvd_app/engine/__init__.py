"""What computes: backbones, singular values, training, estimates, predictions; the one part that loads torch."""
