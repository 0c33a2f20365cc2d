"""DICOM: data sets, headers and what they mean (PS3.3, PS3.5, PS3.10)."""
