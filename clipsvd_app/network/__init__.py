"""The only package that opens network connections."""
