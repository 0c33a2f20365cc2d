"""Around a fit: labelled images, estimates on unseen patients, and what a run says of each image."""
