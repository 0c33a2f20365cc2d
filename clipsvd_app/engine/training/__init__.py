"""Around a fit: labelled images, estimates on unseen patients, and predictions for each image."""
