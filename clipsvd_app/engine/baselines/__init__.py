"""What CLIP-SVD is measured against: methods on frozen features, from the untouched model upwards."""
