"""One reader for each file format that is not DICOM, and the signatures by which all are told apart."""
