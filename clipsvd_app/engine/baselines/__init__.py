"""The baselines of CLIP-SVD: methods on frozen features, from the unadapted model upwards."""
