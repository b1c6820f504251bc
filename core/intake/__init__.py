"""Facts in: files and frames become rows of the record, each exactly once and with its source."""
