"""What computes: backbones, singular values, training, estimates. The one part that loads torch."""
