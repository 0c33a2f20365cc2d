"""The Export page: write the adapter, and use one on new studies."""
