"""One reader for each file format that is not DICOM."""
