"""Reading, displaying and finding medical images; the readers' libraries load on first use."""
