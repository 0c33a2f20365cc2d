"""What computes: backbones, singular values, training, evaluation, prediction. The only part that loads torch."""
